/** Whether a policy can take over from another one between two ticks. */
import type { Bundle } from '@sim2servo/models/bundle/load-bundle';
import { weightsApart } from '@sim2servo/models/bundle/weights-apart';
import { KitError } from '@sim2servo/models/error';

const hint = 'end the run, and start it again';

/** @returns why not; undefined where it can */
export function whyNotExchangeable(running: Bundle, next: Bundle): KitError | undefined {
  const from = running.manifest;
  const to = next.manifest;
  for (const [what, wanted, found] of [
    ['control rate', from.controlRateHz, to.controlRateHz],
    ['task', from.task, to.task],
  ])
    if (wanted !== found)
      return new KitError(
        'E_FOLLOW_DIFFERS',
        `the new policy has ${what} ${found}, and the one that runs ${wanted}`,
        hint,
      );
  if (Buffer.compare(weightsApart(running.model).network, weightsApart(next.model).network) === 0) return undefined;
  return new KitError('E_POLICY_NETWORK', `the new policy ${to.name} has another network than the one that runs`, hint);
}
