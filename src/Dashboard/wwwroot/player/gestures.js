// The pointer on the picture. A mouse: click plays, double click fills the screen. A finger: a tap shows or hides the
// controls, a double tap at a side jumps ten seconds.
const DOUBLE_MS = 300;
const SIDE_SHARE = 0.35;
const JUMP_SECONDS = 10;

export class Gestures {
  #lastTap = { at: -Infinity, side: 0 };
  #pendingTap = 0;

  constructor(root, player, controls) {
    const surface = root.querySelector('[data-part="surface"]');
    root.addEventListener('pointermove', (event) => {
      if (event.pointerType === 'mouse') controls.wake();
    });
    root.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse') controls.sleep();
    });
    surface.addEventListener('pointerup', (event) => {
      if (event.pointerType === 'mouse') return;
      this.#tap(event, surface, root, player, controls);
    });
    surface.addEventListener('click', (event) => {
      // A finger's click follows its pointerup, which has been heard.
      if (event.pointerType && event.pointerType !== 'mouse') return;
      if (controls.menu.isOpen) return;
      player.togglePlay();
    });
    surface.addEventListener('dblclick', (event) => {
      if (event.pointerType && event.pointerType !== 'mouse') return;
      player.toggleFullscreen();
    });
  }

  #tap(event, surface, root, player, controls) {
    const box = surface.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width;
    const side = at < SIDE_SHARE ? -1 : at > 1 - SIDE_SHARE ? 1 : 0;
    const again = event.timeStamp - this.#lastTap.at < DOUBLE_MS && side === this.#lastTap.side && side !== 0;
    this.#lastTap = { at: event.timeStamp, side };
    clearTimeout(this.#pendingTap);
    if (again && player.isOpen) {
      player.skip(side * JUMP_SECONDS);
      return;
    }
    // Shown at once; hidden only when no second tap follows, or a double tap would flicker.
    if (root.classList.contains('is-idle') || !player.isOpen) controls.wake();
    else this.#pendingTap = setTimeout(() => controls.sleep(), DOUBLE_MS);
  }
}
