// The rules of the alarm catalogue: what texts are written for and a configuration may adjust.

export const RULE_IDS = [
  'batterySocLow',
  'batterySocCritical',
  'pumpDryRun',
  'pumpNoFlow',
  'deviceSilent',
  'postSilent',
  'dataExpired',
  'outboxFilling',
  'recordsRefused',
  'gatewayIdentity',
  'clockUnknown',
] as const;
export type RuleId = (typeof RULE_IDS)[number];

/** What a person reads of an alarm: what was seen, its likely cause, and one safe thing to do. */
export interface AlarmText {
  readonly title: string;
  readonly meaning: string;
  readonly action: string;
  /** What the alarm's value counts, where it counts something. */
  readonly counted?: (n: string) => string;
}

/** The text of a rule; `undefined` for a rule that this version has no words for. */
export function alarmText(alarms: Readonly<Record<RuleId, AlarmText>>, rule: string): AlarmText | undefined {
  const known = RULE_IDS.find((id) => id === rule);
  return known === undefined ? undefined : alarms[known];
}
