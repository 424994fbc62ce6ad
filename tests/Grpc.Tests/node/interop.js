// The interop services for @grpc/grpc-js, from the same .proto as the C# side's.
'use strict';

const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const definition = loader.loadSync(path.join(__dirname, '../Interop/interop.proto'), { keepCase: true, defaults: true });

module.exports = {
  services: grpc.loadPackageDefinition(definition).grpc.testing,
  echoInitial: 'x-grpc-test-echo-initial',
  echoTrailing: 'x-grpc-test-echo-trailing-bin',
  payload: size => ({ body: Buffer.alloc(size) }),
};
