/*
 * The link on an ATmega328P at 16 MHz (Arduino Uno, Nano): two hobby servos on D9 and D10, potentiometers on A0 and A1.
 *
 * Timer1 alone makes the pulses and the time: mode 14 (fast PWM, TOP = ICR1), prescaler 8, so a tick is 0.5 µs and a period 20 ms.
 * OCR1x is double-buffered: what is written counts from the next period on. Should this program hang, the timer goes on with the
 * last pulses: the arm holds. Datasheet: ATmega48A…328P, DS40002061B, sections 16 (Timer1), 20 (USART), 24 (ADC), 8.4 (EEPROM).
 */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include "kitlink.h"

#define UBRR_500K 3        /* 16 MHz / (8 · (3 + 1)), U2X */
#define PULSES_OVER 5200u  /* a little after the longest pulse */
#define PERIOD_END 39900u

_Static_assert(KL_CHANNELS == 2, "Timer1 has two outputs");

/* ---- time ---- */

static volatile uint32_t period_start_us;
static volatile uint16_t periods;

ISR(TIMER1_OVF_vect) {
  period_start_us += 20000;
  periods++;
}

/* An overflow may be pending while interrupts are off: then the counter is small and its period not yet counted. */
static bool overflow_pending(uint16_t count) { return (TIFR1 & _BV(TOV1)) && count < KL_PERIOD_TICKS / 2; }

static uint32_t moment(uint16_t *phase) {
  uint8_t sreg = SREG;
  cli();
  uint16_t count = TCNT1;
  uint32_t start = period_start_us;
  if (overflow_pending(count)) start += 20000;
  SREG = sreg;
  *phase = count;
  return start + count / 2;
}

uint32_t kl_port_now_us(void) {
  uint16_t phase;
  return moment(&phase);
}

uint16_t kl_port_period(void) {
  uint8_t sreg = SREG;
  cli();
  uint16_t count = TCNT1, begun = periods;
  if (overflow_pending(count)) begun++;
  SREG = sreg;
  return begun;
}

static uint16_t phase_now(void) {
  uint16_t phase;
  moment(&phase);
  return phase;
}

/* ---- pulses ---- */

static uint8_t outputs; /* COM1x bits that should be set */
static bool outputs_due;

void kl_port_settle(void) {
  while (phase_now() > PERIOD_END) {
  }
}

void kl_port_pulses(const uint16_t ticks[KL_CHANNELS]) {
  outputs = 0;
  uint8_t sreg = SREG;
  cli();
  /* High from 0 to OCR1x inclusive: one tick more than the register says. */
  if (ticks[0]) {
    OCR1A = ticks[0] - 1;
    outputs |= _BV(COM1A1);
  }
  if (ticks[1]) {
    OCR1B = ticks[1] - 1;
    outputs |= _BV(COM1B1);
  }
  SREG = sreg;
  outputs_due = true;
}

/* Pins are joined to or parted from the timer only between pulses, so that a servo never sees a cut one. */
static void switch_outputs(void) {
  if (!outputs_due) return;
  uint16_t phase = phase_now();
  if (phase < PULSES_OVER || phase > PERIOD_END) return;
  TCCR1A = outputs | _BV(WGM11);
  outputs_due = false;
}

/* ---- serial port ---- */

static uint8_t rx[256], tx[256];
static volatile uint8_t rx_head, rx_tail, tx_head, tx_tail;
static volatile uint16_t overruns;

ISR(USART_RX_vect) {
  uint8_t status = UCSR0A; /* before UDR0: reading that moves the FIFO on */
  uint8_t byte = UDR0;
  uint8_t next = rx_head + 1;
  if ((status & _BV(DOR0)) && overruns != UINT16_MAX) overruns++;
  if (next == rx_tail) {
    if (overruns != UINT16_MAX) overruns++;
    return;
  }
  rx[rx_head] = byte;
  rx_head = next;
}

ISR(USART_UDRE_vect) {
  UDR0 = tx[tx_tail++];
  if (tx_tail == tx_head) UCSR0B &= ~_BV(UDRIE0);
}

bool kl_port_send(const uint8_t *bytes, uint16_t length) {
  uint8_t head = tx_head;
  if (length > (uint8_t)(tx_tail - head - 1)) return false;
  while (length--) tx[head++] = *bytes++;
  uint8_t sreg = SREG;
  cli();
  tx_head = head;
  UCSR0B |= _BV(UDRIE0);
  SREG = sreg;
  return true;
}

uint16_t kl_port_overruns(void) {
  uint8_t sreg = SREG;
  cli();
  uint16_t count = overruns;
  SREG = sreg;
  return count;
}

/* ---- storage ---- */

static const uint8_t *store_from;
static uint8_t store_at, store_length;

void kl_port_load(uint8_t *bytes, uint8_t length) { eeprom_read_block(bytes, (const void *)0, length); }

void kl_port_store(const uint8_t *bytes, uint8_t length) {
  store_from = bytes;
  store_length = length;
  store_at = 0;
}

/* A byte takes 3.4 ms: one is begun at a time and never waited for. Cut short by a power loss, the record's CRC tells. */
static void store_some(void) {
  if (store_at == store_length || !eeprom_is_ready()) return;
  uint8_t *cell = (uint8_t *)(uint16_t)store_at;
  uint8_t byte = store_from[store_at++];
  if (eeprom_read_byte(cell) != byte) eeprom_write_byte(cell, byte);
}

uint16_t kl_port_part(void) { return 328; }

/* ---- converter ---- */

static void convert(uint8_t channel) {
  ADMUX = _BV(REFS0) | channel; /* against AVCC, which also feeds the potentiometers */
  ADCSRA |= _BV(ADSC);
}

/* Once a period, at the phase CONFIG asks for: A0, then A1 104 µs later, never waited for. */
static void sample(void) {
  static uint16_t sampled, counts[KL_CHANNELS], phase;
  static uint32_t sample_us;
  static uint8_t channel;
  static bool busy;
  if (!busy) {
    uint16_t period = kl_port_period();
    if (period == sampled) return;
    if (phase_now() < kl_sample_phase()) return;
    sampled = period;
    channel = 0;
    busy = true;
    sample_us = moment(&phase);
    convert(0);
    return;
  }
  if (ADCSRA & _BV(ADSC)) return;
  counts[channel++] = ADC;
  if (channel < KL_CHANNELS) return convert(channel);
  busy = false;
  kl_sampled(sample_us, phase, counts);
}

/*
 * Timer0 ends a sleep at the latest: what the loop looks after by the clock (the sample, the deadline, the outputs) is never more than
 * this late. Every other interrupt ends it, too.
 */
#define WAKE_COUNTS (128 / 4) /* 128 µs in steps of 64 / 16 MHz */
EMPTY_INTERRUPT(TIMER0_COMPA_vect)

int main(void) {
  PORTB &= ~(_BV(PB1) | _BV(PB2));
  DDRB |= _BV(PB1) | _BV(PB2);
  ICR1 = KL_PERIOD_TICKS - 1;
  TCCR1A = _BV(WGM11);
  TCCR1B = _BV(WGM13) | _BV(WGM12) | _BV(CS11);
  TIMSK1 = _BV(TOIE1);
  TCCR0A = _BV(WGM01);
  OCR0A = WAKE_COUNTS - 1;
  TCCR0B = _BV(CS01) | _BV(CS00);
  TIMSK0 = _BV(OCIE0A);
  set_sleep_mode(SLEEP_MODE_IDLE);
  DIDR0 = _BV(ADC0D) | _BV(ADC1D);
  ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0); /* 125 kHz: full resolution */
  UCSR0A = _BV(U2X0);
  UBRR0 = UBRR_500K;
  UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
  UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
  kl_begin();
  sei();
  for (;;) {
    kl_poll();
    /* A few bytes a turn: faster than they can come, and the deadline and the sample are never far away. */
    for (uint8_t n = 0; n < 8 && rx_tail != rx_head; n++) {
      uint8_t byte = rx[rx_tail];
      rx_tail++;
      kl_receive(byte);
    }
    sample();
    switch_outputs();
    store_some();
    /* A byte that came after the look above is taken at the next wake: six bytes' time at most, and eight are taken a turn. */
    sleep_mode();
  }
}
