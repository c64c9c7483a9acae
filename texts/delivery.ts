// The words of a post's delivery, apart from the others: the first page that a phone loads does not need them.
import { type DeliveryTexts, enDelivery } from './en-delivery.js';
import type { Language } from './language.js';
import { ruDelivery } from './ru-delivery.js';
import { tgDelivery } from './tg-delivery.js';

export type { DeliveryTexts } from './en-delivery.js';

const catalogues: Readonly<Record<Language, DeliveryTexts>> = { en: enDelivery, ru: ruDelivery, tg: tgDelivery };

export function deliveryTextsOf(language: Language): DeliveryTexts {
  return catalogues[language];
}
