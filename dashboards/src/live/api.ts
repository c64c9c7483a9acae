// Requests to the API. Answers are typed by the contract; a refusal carries the server's own words.
import type {
  AlarmCommand,
  ApiError,
  IdentityAcceptResponse,
  PostResponse,
  ReplayCommand,
  ReplayResponse,
  SeriesResponse,
} from '#contract/http.js';
import type { AlarmView } from '#contract/view.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { DeviceTexts } from '../model/device-texts.js';

/** `API_ROOT` of the contract, apart from its schemas: the schema library is larger than this whole page. */
export const API_PATH = '/api/v1';

/** `unreachable`: no answer. `refused`: the server says why. */
export type ApiFault =
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

async function ask<T>(fetcher: Fetch, path: string, init?: RequestInit): Promise<Result<T, ApiFault>> {
  try {
    const response = await fetcher(`${API_PATH}${path}`, init);
    const body: unknown = await response.json();
    if (response.ok) return ok(body as T);
    const { code = String(response.status), message = response.statusText } = body as Partial<ApiError>;
    return failed({ kind: 'refused', code, message });
  } catch {
    return failed({ kind: 'unreachable' });
  }
}

/** What the live channel does not carry of a post: the totals of the month. */
export function fetchPost(fetcher: Fetch, post: string): Promise<Result<PostResponse, ApiFault>> {
  return ask(fetcher, `/posts/${encodeURIComponent(post)}`);
}

export interface SeriesRequest {
  readonly post: string;
  /** `device/metric` each. */
  readonly metrics: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly points: number;
}

export function fetchSeries(fetcher: Fetch, request: SeriesRequest): Promise<Result<SeriesResponse, ApiFault>> {
  const query = new URLSearchParams({
    metrics: request.metrics.join(','),
    from: String(request.from),
    to: String(request.to),
    points: String(request.points),
  });
  return ask(fetcher, `/posts/${encodeURIComponent(request.post)}/series?${query}`);
}

/** Words of a device's codes; `profile` is `maker/model`. Refused for profiles without texts. */
export function fetchDeviceTexts(fetcher: Fetch, profile: string): Promise<Result<DeviceTexts, ApiFault>> {
  return ask(fetcher, `/texts/${profile}`);
}

export type AlarmOrder = 'acknowledge' | 'reset';

/** Tells the server what a person decided; answers with the alarm as it stands afterwards. */
export function sendAlarmOrder(
  fetcher: Fetch,
  order: AlarmOrder,
  command: AlarmCommand,
): Promise<Result<{ alarm: AlarmView }, ApiFault>> {
  return tell(fetcher, `/alarms/${order}`, command);
}

/** Asks a post to send again. */
export function sendReplay(
  fetcher: Fetch,
  post: string,
  command: ReplayCommand,
): Promise<Result<ReplayResponse, ApiFault>> {
  return tell(fetcher, `/posts/${encodeURIComponent(post)}/replay`, command);
}

/** A person takes the gateway that sends for a post as it is. */
export function acceptIdentity(
  fetcher: Fetch,
  post: string,
  by: string,
): Promise<Result<IdentityAcceptResponse, ApiFault>> {
  return tell(fetcher, `/posts/${encodeURIComponent(post)}/identity/accept`, { by });
}

function tell<T>(fetcher: Fetch, path: string, command: object): Promise<Result<T, ApiFault>> {
  return ask(fetcher, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(command),
  });
}
