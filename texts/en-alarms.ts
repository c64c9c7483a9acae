// What each alarm means, in English.
import type { AlarmText, RuleId } from './alarm-rules.js';

export const enAlarms: Record<RuleId, AlarmText> = {
  batterySocLow: {
    title: 'Battery low',
    meaning:
      'The charge of the battery is below its low limit. Likely cause: little sun for some days, or more load than planned.',
    action: 'Look at the weather ahead and switch off what is not needed; start the genset if the post has one.',
  },
  batterySocCritical: {
    title: 'Battery critically low',
    meaning:
      'The charge of the battery is below its critical limit: the post may lose power within hours. Likely cause: the genset did not start, or the load is more than sun and genset can carry.',
    action: 'Start the genset by hand. Until it runs, switch off heaters and other large loads.',
  },
  pumpDryRun: {
    title: 'Pump runs dry',
    meaning:
      'The pump turns but takes less power than against a closed valve at this speed, and moves no water. Likely cause: no water at the pump (well low, gas, blocked inlet or stuck valve).',
    action: 'Stop the pump at its drive and let the well recover for 30 minutes before the next try.',
  },
  pumpNoFlow: {
    title: 'Pump runs, no water flows',
    meaning:
      'The pump builds pressure, but the meter sees no flow. Likely cause: a closed valve, or in cold weather a frozen line.',
    action:
      'Stop the pump, then look at the valves between pump and tank. In frost warm the valve chamber first; never open a joint under pressure, never use a flame.',
  },
  deviceSilent: {
    title: 'Device does not answer',
    meaning:
      'The gateway asks, but no good answer comes. Likely cause: the device has no power, its data cable is loose, or its address was changed.',
    action: 'Look at the supply and display of the device, then at both ends of its data cable.',
  },
  postSilent: {
    title: 'Post is silent',
    meaning:
      'Nothing has been heard from the post for too long. Likely cause: its link or its power is gone. While the gateway has power it keeps measuring, and sends everything later.',
    action: 'Call the post: is there power, and is the light of the modem on?',
  },
  dataExpired: {
    title: 'Samples lost from a full outbox',
    meaning:
      'The post’s memory for unsent data was full, and its oldest samples had to go before they were sent. The charts show where. Likely cause: the link was away, too slow, or out of data for longer than the memory lasts.',
    action:
      'Bring the link back (modem, credit, antenna), so that the rest is sent. If that takes longer, carry the data on a stick (oftob outbox export).',
    counted: (n: string) => `${n} samples`,
  },
  outboxFilling: {
    title: 'Outbox is filling up',
    meaning:
      'The post’s memory for unsent data is nearly full. Once it is, samples are reduced to means of a minute, and then the oldest are lost. Likely cause: the link is too slow, often away, or its data budget is used up.',
    action:
      'Look at the link and at its data budget. If it stays slow, carry the data on a stick (oftob outbox export).',
  },
  recordsRefused: {
    title: 'Server refused records',
    meaning:
      'The server could not take some records. They are kept at the post and are not lost. Likely cause: gateway and server run different versions, or the post’s clock was wrong.',
    action:
      'Look in the server’s log for the code, update the older side, then send the refused records again from the post’s page.',
    counted: (n: string) => `${n} records`,
  },
  gatewayIdentity: {
    title: 'Another gateway under this name',
    meaning:
      'Who sends for this post is not whom the server knew: its key is another, its outbox is an older copy, or two gateways send at once. The data of all is stored. Likely cause: a gateway or its memory card was exchanged, restored or copied.',
    action:
      'Ask who worked at the post. If two gateways run, stop the copy. If the exchange was meant, accept the gateway on the post’s page.',
  },
  clockUnknown: {
    title: 'Post’s clock is not set',
    meaning:
      'For more than an hour the gateway has not known a time that it can trust. It goes on measuring, but its times may be off. Likely cause: no time server can be reached, or the battery of the clock is flat.',
    action: 'Check that the gateway can reach a time server, then fit a new battery to its clock.',
  },
};
