// What a server is handed from outside its room: the page without JavaScript, the built dashboards, the profiles' texts.
import { renderImpactPage } from '#dashboards/impact/impact-page.js';
import { PROFILES_FOLDER, VERSION, WEB_FOLDER } from './places.js';

export function serverParts() {
  return { impactPage: renderImpactPage, webFolder: WEB_FOLDER, textsFolder: PROFILES_FOLDER, version: VERSION };
}
