// How a post's data reaches the server, in English. Fetched only with the page of a post.

/** What puts in doubt who sends for a post; the names are those of the contract. */
export type IdentityKind = 'keyChanged' | 'restored' | 'twoGateways';

const identity: Record<IdentityKind, string> = {
  keyChanged: 'A gateway with another key sends under this name.',
  restored: 'The gateway runs on an older copy of its outbox, or on a copied card.',
  twoGateways: 'Two gateways send under this name in turn.',
};

export const enDelivery = {
  title: 'Delivery of data',
  meaning: 'What is not confirmed by the server stays at the post. What was confirmed is kept there for 7 more days.',
  left: (duration: string) => `about ${duration} left without a link`,
  capacityUnknown: 'known after an hour of recording',
  nameHint: 'It is kept in this browser and written to the server’s log.',
  none: 'This gateway does not tell how its delivery goes.',
  identity,
  keys: (n: number) => `keys heard: ${n}`,
  since: (age: string) => `since ${age}`,
  bothKept: 'The data of all of them is stored.',
  replay: 'Send again …',
  replayTitle: 'Send data again',
  replayMeaning:
    'The post sends once more what it has kept since the morning of this day. Nothing is stored twice; it costs data on the link.',
  replayFrom: 'From the morning of',
  dateNeeded: 'Please choose a day of the last 7.',
  refused: 'Send refused records again …',
  refusedTitle: 'Send refused records again',
  refusedMeaning:
    'Records that the server refused are kept at the post. Send them again when the cause is mended; else they are refused again.',
  accept: 'Accept this gateway …',
  acceptTitle: 'Accept this gateway',
  acceptMeaning:
    'You say: I know who sends for this post, and it is meant to be so. Its key counts as known from now on. The alarm can then be acknowledged and reset.',
  confirm: 'Send again',
  confirmAccept: 'Accept',
  sent: 'The post has been asked.',
  waiting: 'The post is not there now. It is asked as soon as it comes.',
  accepted: 'Accepted.',
};

export type DeliveryTexts = typeof enDelivery;
