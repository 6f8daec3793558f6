import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { FusedEngine } from '../../src/engine/fused.js';
import { initialState } from '../../src/engine/initial-state.js';
import { instructionsOf } from '../../src/engine/update-order.js';
import { sizes, smallSac } from './small-sac.js';

const kinds = (index: number, config = smallSac) =>
  instructionsOf(sac.declare(sizes, config), index).map(step => (step.kind === 'apply' ? step.program : step.average));

t.test('the order is the one that the algorithm gives for the index', async t => {
  t.same(kinds(0), ['critic', 'targetCritics', 'actor']);
  const delayed = { ...smallSac, actorEvery: 2, actorAfter: 3 };
  t.same(
    [0, 1, 2, 3, 4, 5].map(index => kinds(index, delayed).includes('actor')),
    [false, false, false, true, false, true],
  );
});

t.test('an order that depends on what the update brings out is refused', async t => {
  const declaration = sac.declare(sizes, smallSac);
  const early = {
    ...declaration,
    *update() {
      const scalars: Readonly<Record<string, number>> = yield { kind: 'apply', program: 'critic' } as const;
      if (scalars['train/critic_loss']! < 1) yield { kind: 'apply', program: 'actor' } as const;
    },
  };
  t.throws(() => instructionsOf(early, 0), { code: 'E_UPDATE_ORDER', message: /depends on 'train\/critic_loss'/ });
  await t.rejects(FusedEngine.create('cpu', early, initialState(declaration, new Random(1))), {
    code: 'E_UPDATE_ORDER',
    hint: /--engine split/,
  });
});
