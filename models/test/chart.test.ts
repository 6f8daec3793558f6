import fc from 'fast-check';
import t from 'tap';
import { Axes, escapeXml, spanOf, svg, thousands, ticks } from '../src/chart.js';

t.test('ticks are round numbers inside the span, a few of them, equally far apart', t => {
  t.strictSame(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  t.strictSame(ticks(-0.3, 0.3, 6), [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
  t.strictSame(ticks(0, 37_000, 4), [0, 10_000, 20_000, 30_000]);
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      (low, span) => {
        const all = ticks(low, low + span);
        const step = (all[1] ?? 0) - (all[0] ?? 0);
        const mantissa = Number((step / 10 ** Math.floor(Math.log10(step) + 1e-6)).toPrecision(3));
        return (
          all.length >= 2 &&
          all.length <= 8 &&
          all.every(tick => tick >= low - span * 1e-6 && tick <= low + span * (1 + 1e-6)) &&
          [1, 2, 5, 10].includes(mantissa)
        );
      },
    ),
  );
  t.end();
});

t.test('a span leaves room around its values and survives having none, or one', t => {
  t.strictSame(spanOf([0, 10], 0.1), { low: -1, high: 11 });
  t.strictSame(spanOf([Number.NaN, Number.POSITIVE_INFINITY]), { low: 0, high: 1 });
  const { low, high } = spanOf([5, 5]);
  t.ok(low < 5 && high > 5);
  t.end();
});

t.test('data is placed where the axes say', t => {
  const axes = new Axes(
    { label: 'x', low: 0, high: 10 },
    { label: 'y', low: -1, high: 1 },
    { left: 100, top: 50, width: 200, height: 100 },
  );
  t.equal(axes.x(0), 100);
  t.equal(axes.x(10), 300);
  t.equal(axes.y(-1), 150, 'y grows upwards');
  t.equal(axes.y(1), 50);
  t.match(
    axes.curve(
      [
        [0, -1],
        [10, 1],
      ],
      'red',
    ),
    /M100 150L300 50/,
  );
  t.match(
    axes.curve(
      [
        [0, -1],
        [5, Number.NaN],
        [10, 1],
      ],
      'red',
    ),
    /M100 150L300 50/,
    'what is not finite is skipped',
  );
  t.equal(axes.curve([], 'red'), '');
  t.match(axes.bar(0, 5, 0, 'blue'), /height="50"/);
  t.end();
});

t.test('labels are written for people, and cannot break the markup', t => {
  t.strictSame([0, 500, 12_000, 1_500_000].map(thousands), ['0', '500', '12k', '1.5M']);
  t.equal(escapeXml('a < b & c'), 'a &lt; b &amp; c');
  const figure = svg(100, 100, 'T<T', 'sub & title', [{ label: 'a', colour: 'red', kind: 'line' }], []);
  t.match(figure, '<title>T&lt;T</title>');
  t.match(figure, 'sub &amp; title');
  t.end();
});
