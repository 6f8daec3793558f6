/** Which version of the kit and its runtime this is, and how versions compare. */

/** The same as in every package.json of the house, which a test holds it to: a runtime on a robot may come without those. */
export const runtimeVersion = '0.1.0';

/** Below 0 where `a` is older than `b`, 0 where they are the same. Both as x.y.z. */
export function compareVersions(a: string, b: string): number {
  const [as, bs] = [a, b].map(version => version.split('.').map(Number)) as [number[], number[]];
  const differs = as.findIndex((part, i) => part !== bs[i]);
  return differs < 0 ? 0 : as[differs]! - bs[differs]!;
}
