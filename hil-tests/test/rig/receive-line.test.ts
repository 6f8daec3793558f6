import { AVRUSART, CPU, usart0Config } from 'avr8js';
import t from 'tap';
import { ReceiveLine } from '../../src/rig/receive-line.js';

const characterCycles = 320;
const receiveComplete = 1 << 7;
const dataOverrun = 1 << 3;
const receiveEnable = 1 << 4;
const sendInterrupt = 1 << 5;

function receiver() {
  const cpu = new CPU(new Uint16Array(64), 2048);
  const usart = new AVRUSART(cpu, usart0Config, 16_000_000);
  const line = new ReceiveLine(cpu, usart, characterCycles);
  cpu.writeData(usart0Config.UCSRB, receiveEnable);
  return {
    cpu,
    line,
    /** Lets `characters` character times go by without the program doing anything. */
    wait(characters: number) {
      for (let i = 0; i < characters; i++) {
        cpu.cycles += characterCycles;
        cpu.tick();
      }
    },
    status: () => cpu.data[usart0Config.UCSRA]!,
    read: () => cpu.readData(usart0Config.UDR),
  };
}

t.test('bytes arrive one character time after the other', async t => {
  const { line, wait, status, read } = receiver();
  line.send(Uint8Array.of(1, 2));
  t.equal(status() & receiveComplete, 0, 'the first one is still on its way');
  wait(1);
  t.ok(status() & receiveComplete);
  t.equal(read(), 1);
  t.equal(status() & receiveComplete, 0, 'read');
  wait(1);
  t.equal(read(), 2);
});

t.test(
  'three bytes wait for a slow program, the fourth is lost and sets the overrun flag until the next read',
  async t => {
    const { line, wait, status, read } = receiver();
    line.send(Uint8Array.of(1, 2, 3, 4));
    wait(3);
    t.equal(status() & dataOverrun, 0, 'two in the FIFO and one in the shift register are none too many');
    wait(1);
    t.ok(status() & dataOverrun);
    t.equal(line.lost, 1);
    t.equal(read(), 1);
    t.equal(status() & dataOverrun, 0);
    t.equal(read(), 2);
    t.equal(read(), 3);
    t.equal(status() & receiveComplete, 0, 'nothing is left');
  },
);

t.test('a receive flag outlives a write to the control register', async t => {
  const { cpu, line, wait, status, read } = receiver();
  line.send(Uint8Array.of(7));
  wait(1);
  cpu.writeData(usart0Config.UCSRB, receiveEnable | sendInterrupt);
  t.ok(status() & receiveComplete, 'only reading UDR0 clears it');
  t.equal(read(), 7);
});

t.test('a receiver that is off hears nothing', async t => {
  const { cpu, line, wait, status } = receiver();
  cpu.writeData(usart0Config.UCSRB, 0);
  line.send(Uint8Array.of(1));
  wait(2);
  t.equal(status() & receiveComplete, 0);
  t.equal(line.lost, 0);
});
