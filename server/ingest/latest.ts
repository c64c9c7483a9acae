// The newest live value of every metric, in memory: what screens and alarms ask for, without a query.
import type { Value } from '#domain/reading.js';

export interface Latest {
  /** null exactly where the code says that there is no value. */
  readonly value: Value;
  /** Reason code of `domain/quality.ts`. */
  readonly code: number;
  /** Source time, epoch ms. */
  readonly at: number;
}

export interface LatestValues {
  get(post: string, device: string, metric: string): Latest | undefined;
  ofPost(post: string): Iterable<Latest & { readonly device: string; readonly metric: string }>;
}

export interface MutableLatestValues extends LatestValues {
  /** Takes a value unless a newer one is there; of two with one time the later call wins. True when it was taken. */
  set(post: string, device: string, metric: string, latest: Latest): boolean;
}

export function createLatestValues(): MutableLatestValues {
  const posts = new Map<string, Map<string, Latest & { readonly device: string; readonly metric: string }>>();
  return {
    get(post, device, metric) {
      return posts.get(post)?.get(`${device}/${metric}`);
    },
    ofPost(post) {
      return posts.get(post)?.values() ?? [];
    },
    set(post, device, metric, latest) {
      let values = posts.get(post);
      if (values === undefined) {
        values = new Map();
        posts.set(post, values);
      }
      const key = `${device}/${metric}`;
      const present = values.get(key);
      if (present !== undefined && present.at > latest.at) return false;
      values.set(key, { device, metric, value: latest.value, code: latest.code, at: latest.at });
      return true;
    },
  };
}
