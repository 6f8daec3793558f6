/** What the fault matrix holds; that each fault comes out as it must: the tests of the buses beside this one. */
import t from 'tap';
import { faultRows } from '../../src/faults/fault.js';
import { absentFaults, type BusColumn, faultColumns } from '../../src/faults/fault-matrix.js';

const buses = Object.keys(faultColumns) as BusColumn[];

t.test('each row has a fault on each bus, or says why not, and each row has one somewhere', async t => {
  for (const row of faultRows) {
    const has = (bus: BusColumn) => faultColumns[bus].some(fault => fault.row === row);
    for (const bus of buses) t.ok(has(bus) !== (absentFaults[row]?.[bus] !== undefined), `${row} on ${bus}`);
    t.ok(buses.some(has), row);
  }
});

t.test('faults of one bus have names of their own, by which reports are compared', async t => {
  for (const faults of Object.values(faultColumns))
    t.equal(new Set(faults.map(({ name }) => name)).size, faults.length);
});
