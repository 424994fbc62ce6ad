// A grpc-js server of the interop services. Prints its port; ends with its input.
'use strict';

const fs = require('node:fs');
const { setTimeout: pause } = require('node:timers/promises');
const grpc = require('@grpc/grpc-js');
const { services, echoInitial, echoTrailing, payload } = require('./interop');

// Sends what the call's headers ask for, and returns what its trailers ask for.
function echo(call) {
  const head = new grpc.Metadata();
  const tail = new grpc.Metadata();
  for (const value of call.metadata.get(echoInitial)) head.add(echoInitial, value);
  for (const value of call.metadata.get(echoTrailing)) tail.add(echoTrailing, value);
  if (Object.keys(head.getMap()).length) call.sendMetadata(head);
  return tail;
}

const errorOf = request => request.response_status?.code
  ? { code: request.response_status.code, details: request.response_status.message }
  : null;

async function answer(call, request) {
  for (const parameters of request.response_parameters) {
    if (parameters.interval_us) await pause(parameters.interval_us / 1000);
    call.write({ payload: payload(parameters.size) });
  }
  return errorOf(request);
}

// Hands each request on, one after another; then calls back. (An async iterator would destroy the whole call.)
function read(call, each, done) {
  let last = Promise.resolve();
  call.on('data', request => { last = last.then(() => each(request)); });
  call.on('end', () => last.then(done));
  call.on('error', () => {}); // The caller left.
}

function finish(call, tail, error) {
  if (error) call.emit('error', { ...error, metadata: tail });
  else call.end(tail);
}

const server = new grpc.Server();
server.addService(services.TestService.service, {
  EmptyCall: (call, done) => done(null, {}, echo(call)),
  UnaryCall: (call, done) => {
    const tail = echo(call);
    const error = errorOf(call.request);
    done(error && { ...error, metadata: tail }, { payload: payload(call.request.response_size) }, tail);
  },
  StreamingOutputCall: async call => {
    const tail = echo(call);
    finish(call, tail, await answer(call, call.request));
  },
  StreamingInputCall: (call, done) => {
    const tail = echo(call);
    let size = 0;
    read(call, request => { size += request.payload.body.length; },
      () => done(null, { aggregated_payload_size: size }, tail));
  },
  FullDuplexCall: call => {
    const tail = echo(call);
    let error = null;
    read(call, async request => { error = (await answer(call, request)) ?? error; }, () => finish(call, tail, error));
  },
  HalfDuplexCall: call => {
    const tail = echo(call);
    const requests = [];
    read(call, request => { requests.push(request); }, async () => {
      for (const request of requests) await answer(call, request);
      finish(call, tail, null);
    });
  },
});

const folder = process.argv[2];
const credentials = folder
  ? grpc.ServerCredentials.createSsl(
      null, [{ private_key: fs.readFileSync(`${folder}/server.key`), cert_chain: fs.readFileSync(`${folder}/server.pem`) }])
  : grpc.ServerCredentials.createInsecure();
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.on('end', () => server.forceShutdown()).resume();
