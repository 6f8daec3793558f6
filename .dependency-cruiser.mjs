/**
 * Who may import whom (docs/architecture.md). Arrows point down only; `scripts/test/house-rules.test.mjs` runs this over the sources and
 * shows that each rule fires.
 */

/** What each package may import besides itself. */
const mayImport = {
  models: [],
  sim: ['models'],
  'firmware-bridge': ['models'],
  train: ['sim', 'models'],
  runtime: ['firmware-bridge', 'models'],
  deploy: ['runtime', 'firmware-bridge', 'models'],
  'hil-tests': ['runtime', 'sim', 'firmware-bridge', 'models'],
  kit: ['bench', 'train', 'deploy', 'runtime', 'hil-tests', 'sim', 'firmware-bridge', 'models'],
  bench: ['train', 'runtime', 'hil-tests', 'sim', 'firmware-bridge', 'models'],
};
const packages = Object.keys(mayImport);
const oneOf = names => `^(?:${names.join('|')})/`;

export default {
  forbidden: [
    ...packages.map(name => ({
      name: `floors-${name}`,
      comment: `${name} may import only: ${mayImport[name].join(', ') || 'nothing of the house'}`,
      severity: 'error',
      from: { path: `^${name}/` },
      to: { path: oneOf(packages.filter(other => other !== name && !mayImport[name].includes(other))) },
    })),
    {
      name: 'by-package-name',
      comment: 'Another package is imported by its name (which leads to its dist), never by a path into its sources.',
      severity: 'error',
      from: { path: `^(${packages.join('|')})/` },
      to: { path: `^(?:${packages.join('|')})/(?:src|test)/`, pathNot: '^$1/' },
    },
    {
      name: 'no-cycles',
      comment:
        'Files that need each other are one file. Types may refer to each other; they are gone when the code runs.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'sources-without-tests',
      comment: 'What ships does not import what tests it.',
      severity: 'error',
      from: { path: '^[^/]+/src/' },
      to: { path: '^[^/]+/(?:test|dist/test)/' },
    },
    {
      name: 'resolvable',
      comment: 'Every import leads somewhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    tsPreCompilationDeps: true,
    preserveSymlinks: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
