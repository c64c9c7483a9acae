// The broker of the drill serves tests and benches too.
export { type LinkFaults, VirtualBroker } from '#cli/drill/virtual-broker.js';
