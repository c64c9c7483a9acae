// Which screen the address asks for. Screens live behind `#`, so that the server needs to know none of them.
import type { LiveView } from '#contract/live.js';

export type Route =
  | { readonly page: 'fleet' }
  | { readonly page: 'alarms' }
  | { readonly page: 'post'; readonly post: string }
  | { readonly page: 'unknown' };

const POST = /^\/posts\/([a-z0-9-]{1,32})$/;

/** The route of a location hash such as `#/posts/gbao-03`. */
export function routeOf(hash: string): Route {
  const path = hash.replace(/^#/, '').replace(/\/$/, '');
  if (path === '') return { page: 'fleet' };
  if (path === '/alarms') return { page: 'alarms' };
  const post = POST.exec(path)?.[1];
  return post === undefined ? { page: 'unknown' } : { page: 'post', post };
}

export function hashOf(route: Exclude<Route, { page: 'unknown' }>): string {
  if (route.page === 'post') return `#/posts/${route.post}`;
  return route.page === 'alarms' ? '#/alarms' : '#/';
}

/** What the live channel should send for a route. */
export function viewOf(route: Route): LiveView {
  return route.page === 'unknown' ? { page: 'fleet' } : route;
}
