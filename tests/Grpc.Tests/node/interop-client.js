// Runs the interop cases with grpc-js's client and prints a JSON object: case to "ok", or to what was wrong.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const { services, echoInitial, echoTrailing, payload } = require('./interop');

const [target, folder] = process.argv.slice(2);
const credentials = folder
  ? grpc.credentials.createSsl(fs.readFileSync(`${folder}/ca.pem`))
  : grpc.credentials.createInsecure();
// Each its own connection, not one that another client of this process has.
const connect = () => new services.TestService(target, credentials, { 'grpc.use_local_subchannel_pool': 1 });
const client = connect();
const soakIterations = 10;
const gzipClient = new services.TestService(
  target, credentials, { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
const absent = new services.UnimplementedService(target, credentials);

const words = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
const deadline = (ms = 30_000) => ({ deadline: Date.now() + ms });
const large = more => ({ response_size: 314159, payload: payload(271828), ...more });
const output = (size, request = 0) => ({ response_parameters: [{ size }], payload: payload(request) });

function echoMetadata() {
  const metadata = new grpc.Metadata();
  metadata.set(echoInitial, 'test_initial_metadata_value');
  metadata.set(echoTrailing, Buffer.from('ababab', 'hex'));
  return metadata;
}

// A unary call as { reply, head, status }; rejects with its error.
function unary(from, method, request, metadata = new grpc.Metadata(), options = deadline()) {
  return new Promise((resolve, reject) => {
    const seen = {};
    const call = from[method](request, metadata, options, (error, reply) => {
      if (error) reject(error);
      else seen.reply = reply;
    });
    call.on('metadata', head => { seen.head = head; });
    call.on('status', status => resolve({ ...seen, status }));
  });
}

// The reply of a call that sends requests; each is [message] or [message, write flags].
function upload(from, requests) {
  return new Promise((resolve, reject) => {
    const call = from.StreamingInputCall(
      new grpc.Metadata(), deadline(), (error, reply) => error ? reject(error) : resolve(reply));
    send(call, requests).catch(reject);
  });
}

// grpc-js takes the flags for the stream's encoding, which write() of Debian's Node 18 refuses to hand on.
async function send(call, requests) {
  for (const [message, flags] of requests) await new Promise(sent => call._write(message, flags, sent));
  call.end();
}

// What a call sends until its end, as { sizes, head, status }; rejects with its error.
function drain(call) {
  return new Promise((resolve, reject) => {
    const seen = { sizes: [] };
    call.on('metadata', head => { seen.head = head; });
    call.on('data', message => seen.sizes.push(message.payload.body.length));
    call.on('error', reject);
    call.on('status', status => resolve({ ...seen, status }));
  });
}

const next = call => new Promise((resolve, reject) => {
  call.once('data', resolve);
  call.once('error', reject);
});

async function errorOf(promise, code) {
  const error = await promise.then(() => assert.fail('the call succeeded'), e => e);
  assert.equal(error.code, code, error.stack);
  return error;
}

function assertEcho({ head, status }) {
  assert.deepEqual(head.get(echoInitial), ['test_initial_metadata_value']);
  assert.deepEqual(status.metadata.get(echoTrailing), [Buffer.from('ababab', 'hex')]);
}

const cases = {
  async empty_unary() {
    assert.deepEqual((await unary(client, 'EmptyCall', {})).reply, {});
  },
  async large_unary() {
    assert.equal((await unary(client, 'UnaryCall', large())).reply.payload.body.length, 314159);
  },
  async client_compressed_unary() {
    const lie = large({ expect_compressed: { value: true } });
    await errorOf(unary(client, 'UnaryCall', lie), grpc.status.INVALID_ARGUMENT);
    assert.equal((await unary(gzipClient, 'UnaryCall', lie)).reply.payload.body.length, 314159);
    const plain = large({ expect_compressed: { value: false } });
    assert.equal((await unary(client, 'UnaryCall', plain)).reply.payload.body.length, 314159);
  },
  async server_compressed_unary() {
    for (const value of [true, false]) {
      const { reply } = await unary(client, 'UnaryCall', large({ response_compressed: { value } }));
      assert.equal(reply.payload.body.length, 314159);
    }
  },
  async client_streaming() {
    const reply = await upload(client, [27182, 8, 1828, 45904].map(size => [{ payload: payload(size) }]));
    assert.equal(reply.aggregated_payload_size, 74922);
  },
  async client_compressed_streaming() {
    const message = (size, value) => ({ payload: payload(size), expect_compressed: { value } });
    await errorOf(upload(client, [[message(27182, true)]]), grpc.status.INVALID_ARGUMENT);
    const reply = await upload(gzipClient, [[message(27182, true)], [message(45904, false), grpc.writeFlags?.NoCompress ?? 2]]);
    assert.equal(reply.aggregated_payload_size, 73086);
  },
  async server_streaming() {
    const sizes = [31415, 9, 2653, 58979];
    const call = client.StreamingOutputCall({ response_parameters: sizes.map(size => ({ size })) }, deadline());
    assert.deepEqual((await drain(call)).sizes, sizes);
  },
  async server_compressed_streaming() {
    const call = client.StreamingOutputCall({
      response_parameters: [
        { size: 31415, compressed: { value: true } }, { size: 92653, compressed: { value: false } }],
    }, deadline());
    assert.deepEqual((await drain(call)).sizes, [31415, 92653]);
  },
  async ping_pong() {
    const call = client.FullDuplexCall(deadline());
    for (const [size, request] of [[31415, 27182], [9, 8], [2653, 1828], [58979, 45904]]) {
      const response = next(call);
      call.write(output(size, request));
      assert.equal((await response).payload.body.length, size);
    }
    const rest = drain(call);
    call.end();
    assert.deepEqual((await rest).sizes, []);
  },
  async half_duplex() {
    const call = client.HalfDuplexCall(deadline());
    for (const size of [31415, 9, 2653, 58979]) call.write(output(size));
    call.end();
    assert.deepEqual((await drain(call)).sizes, [31415, 9, 2653, 58979]);
  },
  async empty_stream() {
    const call = client.FullDuplexCall(deadline());
    call.end();
    assert.deepEqual((await drain(call)).sizes, []);
  },
  async custom_metadata() {
    assertEcho(await unary(client, 'UnaryCall', large(), echoMetadata()));
    const call = client.FullDuplexCall(echoMetadata(), deadline());
    call.write(output(314159, 271828));
    call.end();
    const seen = await drain(call);
    assert.deepEqual(seen.sizes, [314159]);
    assertEcho(seen);
  },
  async status_code_and_message() {
    const response_status = { code: 2, message: 'test status message' };
    const error = await errorOf(unary(client, 'UnaryCall', { response_status }), grpc.status.UNKNOWN);
    assert.equal(error.details, 'test status message');
    const call = client.FullDuplexCall(deadline());
    call.write({ response_status });
    call.end();
    assert.equal((await errorOf(drain(call), grpc.status.UNKNOWN)).details, 'test status message');
  },
  async special_status_message() {
    const call = unary(client, 'UnaryCall', { response_status: { code: 2, message: words } });
    assert.equal((await errorOf(call, grpc.status.UNKNOWN)).details, words);
  },
  async unimplemented_method() {
    await errorOf(unary(client, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
  },
  async unimplemented_service() {
    await errorOf(unary(absent, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
  },
  async cancel_after_begin() {
    await errorOf(new Promise((resolve, reject) => {
      const call = client.StreamingInputCall(deadline(), (error, reply) => error ? reject(error) : resolve(reply));
      call.cancel();
    }), grpc.status.CANCELLED);
  },
  async cancel_after_first_response() {
    const call = client.FullDuplexCall(deadline());
    const response = next(call);
    call.write(output(31415, 27182));
    assert.equal((await response).payload.body.length, 31415);
    const rest = drain(call);
    call.cancel();
    await errorOf(rest, grpc.status.CANCELLED);
  },
  async timeout_on_sleeping_server() {
    const call = client.FullDuplexCall(deadline(1));
    const rest = drain(call);
    call.on('error', () => {});
    call.write({ payload: payload(27182) });
    await errorOf(rest, grpc.status.DEADLINE_EXCEEDED);
  },
  async concurrent_large_unary() {
    const replies = await Promise.all(Array.from({ length: 100 }, () => unary(client, 'UnaryCall', large())));
    assert.ok(replies.every(({ reply }) => reply.payload.body.length === 314159));
  },
  async rpc_soak() {
    for (let i = 0; i < soakIterations; i++) await cases.large_unary();
  },
  async channel_soak() {
    for (let i = 0; i < soakIterations; i++) {
      const fresh = connect();
      assert.equal((await unary(fresh, 'UnaryCall', large())).reply.payload.body.length, 314159);
      fresh.close();
    }
  },
};

(async () => {
  const results = {};
  for (const [name, run] of Object.entries(cases)) {
    results[name] = await run().then(() => 'ok', error => error.stack);
  }
  for (const open of [client, gzipClient, absent]) open.close();
  // A closed channel over TLS may keep the process for a while.
  process.stdout.write(JSON.stringify(results), () => process.exit());
})();
