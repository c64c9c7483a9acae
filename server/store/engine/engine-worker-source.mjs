// The thread of the embedded store where the house runs from its sources, which in development and in tests it does.
import { register } from 'tsx/esm/api';

register();
await import('./engine-worker.ts');
