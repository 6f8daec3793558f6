/**
 * Adam, Polyak averaging and sums over flat groups of float32, four at a time (AssemblyScript, WebAssembly SIMD).
 *
 * All pointers are byte offsets into the engine's arena; counts are multiples of 4 (group-layout.ts pads with zeros, which stay zero).
 */

/** Below this a moment is 0: a unit that died would otherwise leave denormals behind, which many CPUs compute with a hundred times slower. */
const tiny: f32 = 1e-30;

/**
 * One step of Adam (Kingma and Ba 2015, algorithm 1):
 * m ← m + (1−β₁)(g − m), v ← v + (1−β₂)(g² − v), p ← p − stepSize·m / (√v·rootScale + ε).
 *
 * @param stepSize   learning rate / (1 − β₁ᵗ)
 * @param rootScale  1 / √(1 − β₂ᵗ)
 * @returns the sum of the squared gradient: not finite if any part of it is not
 */
export function adam(
  parameters: usize,
  gradients: usize,
  firstMoments: usize,
  secondMoments: usize,
  count: i32,
  stepSize: f32,
  rootScale: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
): f32 {
  const step = f32x4.splat(stepSize);
  const scale = f32x4.splat(rootScale);
  const gain1 = f32x4.splat(1 - beta1);
  const gain2 = f32x4.splat(1 - beta2);
  const floor = f32x4.splat(epsilon);
  const smallest = f32x4.splat(tiny);
  let squares = f32x4.splat(0);
  const end = (<usize>count) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const g = v128.load(gradients + at);
    const gg = f32x4.mul(g, g);
    squares = f32x4.add(squares, gg);
    let m = v128.load(firstMoments + at);
    m = f32x4.add(m, f32x4.mul(gain1, f32x4.sub(g, m)));
    m = v128.and(m, f32x4.gt(f32x4.abs(m), smallest));
    v128.store(firstMoments + at, m);
    let v = v128.load(secondMoments + at);
    v = f32x4.add(v, f32x4.mul(gain2, f32x4.sub(gg, v)));
    v = v128.and(v, f32x4.gt(v, smallest));
    v128.store(secondMoments + at, v);
    const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(v), scale), floor);
    const p = v128.load(parameters + at);
    v128.store(parameters + at, f32x4.sub(p, f32x4.div(f32x4.mul(step, m), divisor)));
  }
  return (
    f32x4.extract_lane(squares, 0) +
    f32x4.extract_lane(squares, 1) +
    f32x4.extract_lane(squares, 2) +
    f32x4.extract_lane(squares, 3)
  );
}

/** target ← target + tau·(source − target). */
export function polyak(target: usize, source: usize, count: i32, tau: f32): void {
  const share = f32x4.splat(tau);
  const end = (<usize>count) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const t = v128.load(target + at);
    v128.store(target + at, f32x4.add(t, f32x4.mul(share, f32x4.sub(v128.load(source + at), t))));
  }
}

/** into ← (into + from)·scale. */
export function accumulate(into: usize, from: usize, count: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = (<usize>count) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(into + at, f32x4.mul(factor, f32x4.add(v128.load(into + at), v128.load(from + at))));
  }
}
