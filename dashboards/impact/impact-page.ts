import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { FleetResponse } from '#contract/http.js';
import { textsOf } from '#texts/catalogue.js';
import { isLanguage } from '#texts/language.js';
import { Impact } from './impact.js';

/**
 * The page for donors and auditors as one HTML document: energy and water with the share measured and the method beside each
 * figure. It reads without JavaScript and names posts by their id only; it holds no place, no live state and nothing finer
 * than a day. An unknown language gives English.
 */
export function renderImpactPage(data: FleetResponse, language: string): string {
  const texts = textsOf(isLanguage(language) ? language : 'en');
  return `<!doctype html>${renderToString(h(Impact, { data, texts }))}`;
}
