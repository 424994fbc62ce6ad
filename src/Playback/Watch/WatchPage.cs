namespace Hexcast.Playback.Watch;

/// <summary>The player page as the server sends it.</summary>
internal static class WatchPage
{
    public static Html Render(WatchView view, WatchAssets assets) => Html.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>{(view.Exists ? view.Title : "Not found")} · Hexcast</title>
          <link rel="icon" href="{assets.UrlOf("hexcast.svg")}" type="image/svg+xml">
          <link rel="stylesheet" href="{assets.UrlOf("watch.css")}">
          {(view.Exists ? Scripts(assets) : Html.Nothing)}
        </head>
        <body>
          <header class="bar">
            <span class="brand"><img src="{assets.UrlOf("hexcast.svg")}" alt="" width="26" height="26">Hexcast</span>
          </header>
          {Main(view)}
        </body>
        </html>

        """);

    private static Html Scripts(WatchAssets assets) => Html.Of($"""
        <script src="{assets.UrlOf("shaka-player.js")}" defer></script>
        <script src="{assets.UrlOf("watch.js")}" type="module"></script>
        """);

    private static Html Main(WatchView view) => view.State switch
    {
        WatchState.Unavailable => Empty(
            "Not just now", "The catalogue does not answer at the moment. Reload the page in a little while."),
        WatchState.Unknown => Empty(
            "There is no such video", "It was deleted, it is still being uploaded, or the address has a slip in it."),
        _ => Player(view),
    };

    private static Html Empty(string title, string words) => Html.Of($"""
        <main class="empty">
            <h1>{title}</h1>
            <p>{words}</p>
          </main>
        """);

    // The script finds its elements by id and fills what is empty or hidden here.
    private static Html Player(WatchView view) => Html.Of($"""
        <main id="watch" data-media-id="{view.MediaId}" data-state="{view.StateName}">
            <div id="stage" class="stage">
              <video id="video" controls playsinline preload="metadata" aria-label="{view.Title}"></video>
              <div id="curtain" class="curtain">
                <p id="curtain-title" class="curtain-title">{view.Headline}</p>
                <p id="curtain-detail" class="curtain-detail"></p>
                <progress id="curtain-progress" max="1" aria-label="Whole job" hidden></progress>
              </div>
            </div>
            <p id="notice" class="notice" role="alert" hidden></p>

            <div class="under">
              <div class="about">
                <h1 id="title">{view.Title}</h1>
                <p class="facts"><span id="state" class="state" role="status">{view.StateName}</span>
                  <span id="facts"></span></p>
              </div>
              <form id="controls" class="controls" aria-label="Playback settings" hidden>
                <label class="control"><span class="control-name">Quality</span>
                  <select id="quality"><option value="auto">Auto</option></select>
                </label>
                <fieldset class="control"><legend class="control-name">Format</legend>
                  <span class="switch">
                    <label><input type="radio" name="format" value="hls" checked><span>HLS</span></label>
                    <label><input type="radio" name="format" value="dash"><span>DASH</span></label>
                  </span>
                </fieldset>
              </form>
            </div>

            <section id="work" class="panel" aria-labelledby="work-title" hidden>
              <h2 id="work-title">In the works</h2>
              <ul id="stages" class="stages"></ul>
            </section>

            <section id="failure" class="panel failure" aria-labelledby="failure-title" hidden>
              <h2 id="failure-title">What went wrong</h2>
              <p id="failure-message">{view.Error?.Message}</p>
              <p><code id="failure-code">{view.Error?.Code}</code></p>
              <details id="failure-log" hidden><summary>Last lines of the log</summary>
                <pre id="failure-lines" tabindex="0"></pre></details>
              <button id="retry" type="button">Try again</button>
            </section>

            <details id="details" class="panel" hidden>
              <summary>Technical details</summary>
              <dl id="stats" class="stats"></dl>
              <div class="scroll" tabindex="0" role="region" aria-label="Renditions">
                <table>
                  <thead><tr><th scope="col">Rendition</th><th scope="col">Content</th><th scope="col">Codec</th>
                    <th scope="col" class="number">Average</th><th scope="col" class="number">Size</th></tr></thead>
                  <tbody id="renditions"></tbody>
                </table>
              </div>
            </details>
            <noscript><p class="notice">This page plays video with a script, and scripts are switched off here.</p>
            </noscript>
          </main>
        """);
}
