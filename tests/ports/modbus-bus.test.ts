import { createModbusTcpBus } from '#gateway/bus/modbus-tcp-bus.js';
import { createRtuOverTcpBus } from '#gateway/bus/rtu-bus.js';
import { modbusBusSuite } from './modbus-bus.suite.js';

const host = '127.0.0.1';
const line = { baud: 115_200, parity: 'none', stopBits: 1 } as const;

modbusBusSuite('Modbus TCP', {
  framing: 'tcp',
  hasConnections: true,
  create: (port, options = {}) => createModbusTcpBus({ host, port, ...options }),
});

modbusBusSuite('Modbus RTU over TCP', {
  framing: 'rtu',
  hasConnections: true,
  create: (port, options = {}) => createRtuOverTcpBus({ host, port }, { line, ...options }),
});
