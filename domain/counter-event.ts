// What a person knows of a counter's register that its readings do not tell: a meter was swapped, a register set.

export const COUNTER_EVENT_KINDS = ['swap', 'reset', 'rollover', 'correction'] as const;
export type CounterEventKind = (typeof COUNTER_EVENT_KINDS)[number];

/**
 * At `at` the register went from `closing` to `opening` without anything being counted: a swap ends with the old meter's last
 * reading and begins with the new one's first, a rollover ends at the modulus and begins at zero.
 */
export interface CounterEvent {
  readonly at: number;
  readonly kind: CounterEventKind;
  /** In the metric's unit. null where nobody read it: what was counted since the last reading before is then not known. */
  readonly closing: number | null;
  readonly opening: number;
}
