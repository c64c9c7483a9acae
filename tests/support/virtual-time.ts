// The clock of the drill serves tests too.
export { settlePromises, VirtualTime } from '#cli/drill/virtual-time.js';
