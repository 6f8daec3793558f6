/**
 * The axes of a figure, as SVG text: ticks at round numbers, faint grid, units in the labels, a legend above. Hand-written, so that a run
 * folder gets its figures without a browser or a drawing library; everything drawn inside is a `path` or `rect` of the caller.
 */

export interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  /** How a tick is written; by default with as many digits as the step between ticks needs. */
  readonly format?: (value: number) => string;
  /** Where ticks stand, if not at round numbers. */
  readonly ticks?: readonly number[];
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly kind: 'line' | 'dashes' | 'area' | 'bar';
}

/** Okabe and Ito's colours: told apart by colour-blind eyes too. */
export const colours = {
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#009e73',
  grey: '#6b7280',
  ink: '#1f2937',
  faint: '#e5e7eb',
} as const;

/** Round numbers (1, 2 or 5 times a power of ten) that cover low … high, about `count` of them. */
export function ticks(low: number, high: number, count = 6): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find(multiple => multiple * power >= raw) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** low … high widened a little, so that no curve runs along the frame; `values` without the non-finite. */
export function spanOf(values: readonly number[], margin = 0.06): { low: number; high: number } {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { low: 0, high: 1 };
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const pad = (high - low || Math.abs(high) || 1) * margin;
  return { low: low - pad, high: high + pad };
}

/** 12000 → 12k, 1500000 → 1.5M: steps on an axis. */
export function thousands(value: number): string {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (Math.abs(value) >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(value);
}

/** Exponents of 1, 2 and 5 times the powers of ten between 10^low and 10^high. */
export function decadeTicks(low: number, high: number): number[] {
  const exponents: number[] = [];
  for (let power = Math.floor(low); power <= high; power++)
    for (const multiple of [1, 2, 5]) exponents.push(power + Math.log10(multiple));
  return exponents.filter(exponent => exponent >= low && exponent <= high);
}

/** How a tick at such an exponent is written. */
export function powerOfTen(exponent: number): string {
  return String(Number((10 ** exponent).toPrecision(2)));
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** One pair of axes in `box`, with the scales that place data in it. */
export class Axes {
  readonly #x: Axis;
  readonly #y: Axis;
  readonly #box: Box;

  constructor(x: Axis, y: Axis, box: Box) {
    this.#x = x;
    this.#y = y;
    this.#box = box;
  }

  x(value: number): number {
    return this.#box.left + ((value - this.#x.low) / (this.#x.high - this.#x.low)) * this.#box.width;
  }

  y(value: number): number {
    return this.#box.top + (1 - (value - this.#y.low) / (this.#y.high - this.#y.low)) * this.#box.height;
  }

  /** Grid, ticks and labels: drawn first. */
  frame(): string {
    const { left, top, width, height } = this.#box;
    const bottom = top + height;
    const xTicks = this.#x.ticks ?? ticks(this.#x.low, this.#x.high, Math.max(3, Math.round(width / 90)));
    const yTicks = this.#y.ticks ?? ticks(this.#y.low, this.#y.high, Math.max(3, Math.round(height / 55)));
    return [
      ...yTicks.map(value => line(left, this.y(value), left + width, this.y(value), colours.faint)),
      ...xTicks.map(value => line(this.x(value), bottom, this.x(value), bottom + 5, colours.grey)),
      ...yTicks.map(value => text(left - 9, this.y(value) + 4, tickLabel(this.#y, value, yTicks), 'end')),
      ...xTicks.map(value => text(this.x(value), bottom + 19, tickLabel(this.#x, value, xTicks), 'middle')),
      line(left, bottom, left + width, bottom, colours.grey),
      text(left + width / 2, bottom + 39, this.#x.label, 'middle', 13),
      `<text transform="translate(${round(left - 50)} ${round(top + height / 2)}) rotate(-90)" text-anchor="middle" font-size="13" fill="${colours.ink}">${escapeXml(this.#y.label)}</text>`,
    ].join('\n');
  }

  /** A line through the finite points. */
  curve(points: readonly (readonly [number, number])[], colour: string, dashed = false): string {
    const placed = points
      .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
      .map(([x, y]) => `${round(this.x(x))} ${round(this.y(y))}`);
    if (placed.length === 0) return '';
    return `<path d="M${placed.join('L')}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"${dashed ? ' stroke-dasharray="6 4"' : ''}/>`;
  }

  /** The area between two lines over the same x. */
  band(points: readonly (readonly [x: number, low: number, high: number])[], colour: string): string {
    const finite = points.filter(point => point.every(Number.isFinite));
    if (finite.length < 2) return '';
    const upper = finite.map(([x, , high]) => `${round(this.x(x))} ${round(this.y(high))}`);
    const lower = finite.map(([x, low]) => `${round(this.x(x))} ${round(this.y(low))}`).reverse();
    return `<path d="M${[...upper, ...lower].join('L')}Z" fill="${colour}" fill-opacity="0.15"/>`;
  }

  dot(x: number, y: number, colour: string): string {
    return `<circle cx="${round(this.x(x))}" cy="${round(this.y(y))}" r="5" fill="#ffffff" stroke="${colour}" stroke-width="2"/>`;
  }

  /** A bar from the lower end of the y axis. */
  bar(from: number, to: number, value: number, colour: string): string {
    const height = this.#box.top + this.#box.height - this.y(value);
    return `<rect x="${round(this.x(from) + 0.5)}" y="${round(this.y(value))}" width="${round(Math.max(0, this.x(to) - this.x(from) - 1))}" height="${round(height)}" fill="${colour}"/>`;
  }
}

/** A whole figure around what was drawn. */
export function svg(
  width: number,
  height: number,
  title: string,
  subtitle: string,
  legend: readonly LegendEntry[],
  body: readonly string[],
): string {
  let x = 70;
  const entries = legend.map(({ label, colour, kind }) => {
    const at = x;
    x += 44 + label.length * 6.8;
    const mark =
      kind === 'area' || kind === 'bar'
        ? `<rect x="${round(at)}" y="64" width="20" height="10" fill="${colour}"${kind === 'area' ? ' fill-opacity="0.2"' : ''}/>`
        : `<path d="M${round(at)} 69h20" stroke="${colour}" stroke-width="2.5"${kind === 'dashes' ? ' stroke-dasharray="5 3"' : ''}/>`;
    return `${mark}\n${text(at + 26, 73, label, 'start')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'Helvetica Neue', Arial, sans-serif" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="70" y="28" font-size="17" font-weight="600" fill="${colours.ink}">${escapeXml(title)}</text>`,
    text(70, 48, subtitle, 'start', 12, colours.grey),
    ...entries,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

export function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  size = 12,
  colour: string = colours.ink,
): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" fill="${colour}">${escapeXml(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="${colour}" stroke-width="1"/>`;
}

function tickLabel(axis: Axis, value: number, all: readonly number[]): string {
  if (axis.format) return axis.format(value);
  const step = all.length > 1 ? Math.abs(all[1]! - all[0]!) : 1;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return value.toFixed(digits).replace('-', '−');
}

function round(value: number): string {
  return String(Number(value.toFixed(1)));
}
