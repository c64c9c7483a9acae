import { describe, expect, it } from 'vitest';
import { SERIES_MAX as CONTRACT_SERIES_MAX, type Series, type SeriesResponse } from '#contract/http.js';
import type { DeviceView, MetricView } from '#contract/view.js';
import {
  causeAt,
  chartData,
  chartsOf,
  factsOf,
  missingOf,
  missingOfAll,
  SERIES_MAX,
  seriesWanted,
  speakersOf,
} from './history.js';

const device = (id: string, kind: DeviceView['kind'], role?: DeviceView['role']): DeviceView => ({
  id,
  kind,
  pollPeriodMs: 1000,
  ...(role !== undefined && { role }),
});
const metric = (name: string, id: number): MetricView => {
  const [deviceId = '', metricId = ''] = name.split('/');
  return { id, device: deviceId, metric: metricId, kind: 'gauge', staleAfterMs: 1000 };
};
const metrics = (...names: string[]): MetricView[] => names.map(metric);

const HOUR = 3_600_000;
const series = (name: string, mean: (number | null)[], over: Partial<Series> = {}): Series => {
  const [deviceId = '', metricId = ''] = name.split('/');
  return {
    device: deviceId,
    metric: metricId,
    at: mean.map((_, index) => index * HOUR),
    mean,
    min: mean.map((value) => (value === null ? null : value - 1)),
    max: mean.map((value) => (value === null ? null : value + 1)),
    coverage: 1,
    gaps: [],
    gapCauses: [],
    aggregated: 0,
    ...over,
  };
};
const response = (all: Series[], sky?: number[]): SeriesResponse => ({
  from: 0,
  to: 3 * HOUR,
  bucketMs: HOUR,
  series: all,
  ...(sky !== undefined && { clearSky: { at: sky.map((_, index) => index * HOUR), power: sky, energyWh: 0 } }),
});

describe('the series behind the charts', () => {
  it('are those that the post’s figures are made of: a meter before an inverter', () => {
    const speakers = speakersOf(
      [device('inv', 'inverter'), device('m', 'meter', 'load')],
      metrics('inv/load.power', 'inv/pv.power', 'm/load.power'),
    );
    expect(speakers.get('loadPower')).toEqual(['m/load.power']);
    expect(speakers.get('pvPower')).toEqual(['inv/pv.power']);
    expect(chartsOf(speakers)).toEqual(['energy', 'power']);
    expect(seriesWanted(speakers, 12)).toEqual(['inv/pv.power', 'm/load.power']);
  });

  it('are all of them where several devices share a figure', () => {
    const devices = [device('a', 'inverter'), device('b', 'inverter')];
    const speakers = speakersOf(devices, metrics('a/pv.power', 'b/pv.power', 'a/battery.soc', 'b/battery.soc'));
    expect(speakers.get('pvPower')).toEqual(['a/pv.power', 'b/pv.power']);
    expect(speakers.get('batterySoc')).toEqual(['a/battery.soc', 'b/battery.soc']);
  });

  it('are the tank’s level only where nobody knows its fill', () => {
    const devices = [device('t', 'tank')];
    expect([...speakersOf(devices, metrics('t/tank.level')).keys()]).toEqual(['tankLevel']);
    expect([...speakersOf(devices, metrics('t/tank.level', 't/tank.fill')).keys()]).toEqual(['tankFill']);
  });

  it('are not more than the server gives at once', () => {
    expect(SERIES_MAX).toBe(CONTRACT_SERIES_MAX);
    const devices = Array.from({ length: 20 }, (_, index) => device(`i${index}`, 'inverter'));
    const speakers = speakersOf(devices, metrics(...devices.map(({ id }) => `${id}/pv.power`)));
    expect(seriesWanted(speakers, SERIES_MAX)).toHaveLength(SERIES_MAX);
  });
});

describe('a chart', () => {
  it('keeps a gap a gap', () => {
    const data = chartData(
      'energy',
      response([series('i/pv.power', [10, null, 30], { gaps: [[HOUR, 2 * HOUR]] })]),
      new Map([['pvPower', ['i/pv.power']]]),
    );
    expect(data.lines[0]?.mean).toEqual([10, null, 30]);
    expect(data.lines[0]?.gaps).toEqual([[HOUR, 2 * HOUR]]);
    expect(factsOf(data.lines[0]!)).toEqual({ min: 9, max: 31, mean: 20, last: 30 });
  });

  it('says by cause how much is missing, the most first', () => {
    const gapCauses = [
      { from: 0, to: 100, reason: 'timeout' },
      { from: 100, to: 1000, reason: 'expired' },
      { from: 2000, to: 2500, reason: 'timeout' },
      { from: 3000, to: 3010, reason: null },
    ] as const;
    const data = chartData(
      'energy',
      response([series('i/pv.power', [10], { gapCauses: [...gapCauses], aggregated: 3 })]),
      new Map([['pvPower', ['i/pv.power']]]),
    );
    const [line] = data.lines;
    expect(line?.isAggregated).toBe(true);
    expect(missingOf(line!)).toEqual([
      { reason: 'expired', ms: 900, times: 1, from: 100 },
      { reason: 'timeout', ms: 600, times: 2, from: 2000 },
      { reason: null, ms: 10, times: 1, from: 3000 },
    ]);
    const other = { ...line!, name: 'loadPower', causes: line!.causes.slice(0, 2) } as const;
    expect(missingOfAll([line!, other]).map(({ names, reason }) => [reason, ...names])).toEqual([
      ['expired', 'pvPower', 'loadPower'],
      ['timeout', 'pvPower'],
      [null, 'pvPower'],
      ['timeout', 'loadPower'],
    ]);
    expect(causeAt(line!, 100)?.reason).toBe('expired');
    expect(causeAt(line!, 1500)).toBeUndefined();
  });

  it('adds up powers of several devices only where all are known', () => {
    const speakers = new Map([['pvPower', ['a/pv.power', 'b/pv.power']]] as const);
    const data = chartData(
      'energy',
      response([series('a/pv.power', [1, 2, null]), series('b/pv.power', [10, null, 30], { coverage: 0.5 })]),
      speakers,
    );
    expect(data.lines[0]).toMatchObject({ mean: [11, null, null], coverage: 0.5 });
  });

  it('shows the lowest of several batteries', () => {
    const speakers = new Map([['batterySoc', ['a/battery.soc', 'b/battery.soc']]] as const);
    const data = chartData(
      'battery',
      response([series('a/battery.soc', [80, 70]), series('b/battery.soc', [90, 20])]),
      speakers,
    );
    expect(data.lines[0]?.mean).toEqual([80, 20]);
  });

  it('compares energy with a clear sky only over the time that was measured', () => {
    const speakers = new Map([['pvPower', ['i/pv.power']]] as const);
    const data = chartData('energy', response([series('i/pv.power', [500, null, 1000])], [1000, 4000, 2000]), speakers);
    expect(data).toMatchObject({ measuredWh: 1500, clearSkyWh: 3000, clearSky: [1000, 4000, 2000] });
  });

  it('has no clear sky where the post has no facts for it', () => {
    const data = chartData(
      'energy',
      response([series('i/pv.power', [1])]),
      new Map([['pvPower', ['i/pv.power']]] as const),
    );
    expect(data).toMatchObject({ clearSky: null, clearSkyWh: null });
  });

  it('leaves out a line whose series did not come whole', () => {
    const speakers = new Map([['pvPower', ['a/pv.power', 'b/pv.power']]] as const);
    expect(chartData('energy', response([series('a/pv.power', [1])]), speakers).lines).toEqual([]);
  });

  it('without any good value has no facts', () => {
    const data = chartData(
      'energy',
      response([series('i/pv.power', [null, null])]),
      new Map([['pvPower', ['i/pv.power']]] as const),
    );
    expect(factsOf(data.lines[0]!)).toEqual({ min: null, max: null, mean: null, last: null });
  });
});
