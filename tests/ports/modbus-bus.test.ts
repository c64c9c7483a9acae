import { createModbusTcpBus } from '#gateway/bus/modbus-tcp-bus.js';
import { createRtuOverTcpBus } from '#gateway/bus/rtu-bus.js';
import { modbusBusSuite } from './modbus-bus.suite.js';

const host = '127.0.0.1';

modbusBusSuite('Modbus TCP', 'tcp', (port, options = {}) => createModbusTcpBus({ host, port, ...options }));
modbusBusSuite('Modbus RTU over TCP', 'rtu', (port, options = {}) =>
  createRtuOverTcpBus({ host, port }, { line: { baud: 115_200, parity: 'none', stopBits: 1 }, ...options }),
);
