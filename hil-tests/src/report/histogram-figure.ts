/** Figure: how often a tick's phase took how long, on a logarithmic axis, with the quantiles that count. */
import { Axes, colours, decadeTicks, powerOfTen, svg, text } from '@sim2servo/models/chart';
import type { HistogramJson } from '@sim2servo/runtime/histogram';

const bins = 60;
const width = 520;
const height = 260;
/** Decades from which on there is room for a word at each of them only, not at 2 and 5 between them. */
const wideDecades = 3.5;
/** The least that is drawn: the clock's own resolution, µs. */
const leastUs = 0.1;

/** Share of the records in each of `bins` equal parts of the span between two exponents of ten. */
export function logShares({ buckets, count }: HistogramJson, low: number, high: number): number[] {
  const shares = new Array<number>(bins).fill(0);
  for (const [us, records] of buckets) {
    const place = Math.floor(((Math.log10(Math.max(leastUs, us)) - low) / (high - low)) * bins);
    shares[Math.max(0, Math.min(bins - 1, place))]! += records / count;
  }
  return shares;
}

/** @param title what took so long, @param subtitle where and how often, @param span of the axis: figures beside each other have one */
export function histogramFigure(
  title: string,
  subtitle: string,
  histogram: HistogramJson,
  span: Pick<HistogramJson, 'min' | 'max'> = histogram,
): string {
  const low = Math.log10(Math.max(leastUs, span.min)) - 0.1;
  const high = Math.max(low + 0.5, Math.log10(Math.max(leastUs, span.max)) + 0.1);
  const shares = logShares(histogram, low, high);
  const ticks = decadeTicks(low, high).filter(exponent => high - low < wideDecades || Number.isInteger(exponent));
  const axes = new Axes(
    { label: 'µs', low, high, format: powerOfTen, ticks },
    {
      label: 'share',
      low: 0,
      high: Math.max(...shares) * 1.15,
      format: share => `${Number((share * 100).toFixed(1))} %`,
    },
    { left: 70, top: 78, width: width - 90, height: height - 130 },
  );
  const step = (high - low) / bins;
  const quantiles = [
    ['p50', histogram.p50],
    ['p99', histogram.p99],
    ['p99.9', histogram.p999],
  ] as const;
  return svg(
    width,
    height,
    title,
    subtitle,
    [],
    [
      axes.frame(),
      ...shares.map((share, bin) =>
        share === 0 ? '' : axes.bar(low + bin * step, low + (bin + 1) * step, share, colours.blue),
      ),
      ...quantiles.map(([name, us], i) => {
        const x = axes.x(Math.log10(Math.max(leastUs, us)));
        const atEnd = x > 0.8 * width;
        const y = 74 + 12 * i;
        return `<path d="M${x.toFixed(1)} ${y}V${height - 52}" stroke="${colours.orange}" stroke-dasharray="3 3"/>${text(atEnd ? x - 3 : x + 3, y + 4, `${name} ${Number(us.toPrecision(3))}`, atEnd ? 'end' : 'start', 11, colours.orange)}`;
      }),
    ],
  );
}
