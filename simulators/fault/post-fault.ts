// What happens to a post as a whole. Its buses see the power cut; the rest is for whoever runs the gateway.
import { any, type FaultOf } from './fault-kind.js';

export const POST_FAULTS = {
  /** Gateway and devices have no supply. */
  powerCut: { measures: {} },
  /** The gateway's clock shows so many seconds too many: years too few after a power cut without a clock battery. */
  clockLost: { measures: { seconds: any } },
  /** No way from the post to the centre. */
  linkDown: { measures: {} },
};
export type PostFault = FaultOf<typeof POST_FAULTS>;
