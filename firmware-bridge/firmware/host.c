/*
 * The same core on the machine of the tests: time, bytes and converters come as lines on stdin, what the core does goes out as lines on
 * stdout. Time passes only when `advance` says so, in turns of 100 µs, as the loop of a board would take them.
 *
 *   reset | forget | spoil BYTE | counts N N | bytes HEX | advance US | cobs HEX | uncobs HEX | crc HEX
 *
 * Answers: `sent TIME HEX`, `pulses TIME N N`, `result TEXT`, in the order in which they happen; `ok TIME` ends each command's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cobs.h"
#include "crc32.h"
#include "kitlink.h"

#define PERIOD_US 20000u
#define TURN_US 100u
#define LINE 70000
#define BYTES (LINE / 2)

static uint32_t time_us;
static uint16_t counts[KL_CHANNELS] = {512, 512};
static uint16_t sampled_period;
static uint8_t storage[64];
static char line[LINE];
static uint8_t bytes[BYTES], other[KL_COBS_SIZE(BYTES)];

static void print_hex(const char *what, const uint8_t *from, size_t length) {
  fputs(what, stdout);
  putchar(' ');
  for (size_t i = 0; i < length; i++) printf("%02x", from[i]);
  printf("\n");
}

static size_t parse_hex(const char *text) {
  size_t n = 0;
  unsigned byte;
  while (n < BYTES && sscanf(text + 2 * n, "%2x", &byte) == 1) bytes[n++] = (uint8_t)byte;
  return n;
}

uint32_t kl_port_now_us(void) { return time_us; }
uint16_t kl_port_period(void) { return (uint16_t)(time_us / PERIOD_US); }
void kl_port_settle(void) {}
void kl_port_pulses(const uint16_t ticks[KL_CHANNELS]) { printf("pulses %u %u %u\n", (unsigned)time_us, ticks[0], ticks[1]); }
bool kl_port_send(const uint8_t *from, uint16_t length) {
  printf("sent %u", (unsigned)time_us);
  print_hex("", from, length);
  return true;
}
uint16_t kl_port_overruns(void) { return 0; }
void kl_port_load(uint8_t *to, uint8_t length) { memcpy(to, storage, length); }
void kl_port_store(const uint8_t *from, uint8_t length) { memcpy(storage, from, length); }
uint16_t kl_port_part(void) { return 0; }

static void reset(void) {
  time_us = 0;
  sampled_period = UINT16_MAX;
  kl_begin();
}

static void turn(void) {
  kl_poll();
  uint16_t phase = (uint16_t)(time_us % PERIOD_US * 2);
  if (kl_port_period() != sampled_period && phase >= kl_sample_phase()) {
    sampled_period = kl_port_period();
    kl_sampled(time_us, phase, counts);
  }
}

static void advance(uint32_t us) {
  while (us > 0) {
    uint32_t step = us < TURN_US ? us : TURN_US;
    time_us += step;
    us -= step;
    turn();
  }
}

static void uncobs(size_t length) {
  kl_cobs cobs = {.bytes = other, .capacity = UINT8_MAX};
  kl_cobs_reset(&cobs);
  for (size_t i = 0; i < length; i++) {
    kl_cobs_result result = kl_cobs_put(&cobs, bytes[i]);
    if (result == KL_COBS_FRAME) print_hex("result frame", other, cobs.length);
    if (result == KL_COBS_BAD) printf("result bad\n");
  }
}

static bool command(const char *name, const char *rest) {
  if (strcmp(name, "reset") == 0) reset();
  else if (strcmp(name, "forget") == 0) memset(storage, 0xff, sizeof storage);
  else if (strcmp(name, "spoil") == 0) storage[atoi(rest) % (int)sizeof storage] ^= 0x10;
  else if (strcmp(name, "counts") == 0) sscanf(rest, "%hu %hu", &counts[0], &counts[1]);
  else if (strcmp(name, "advance") == 0) advance((uint32_t)strtoul(rest, NULL, 10));
  else if (strcmp(name, "cobs") == 0) {
    size_t n = parse_hex(rest);
    print_hex("result", other, kl_cobs_encode(bytes, (uint16_t)n, other));
  } else if (strcmp(name, "uncobs") == 0) uncobs(parse_hex(rest));
  else if (strcmp(name, "crc") == 0) {
    size_t n = parse_hex(rest);
    printf("result %08x\n", (unsigned)kl_crc32(0, bytes, (uint16_t)n));
  } else if (strcmp(name, "bytes") == 0) {
    size_t n = parse_hex(rest);
    for (size_t i = 0; i < n; i++) kl_receive(bytes[i]);
    turn();
  } else return false;
  return true;
}

int main(void) {
  memset(storage, 0xff, sizeof storage);
  reset();
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    char *rest = strchr(line, ' ');
    if (rest) *rest++ = 0;
    if (!command(line, rest ? rest : "")) {
      fprintf(stderr, "unknown command: %s\n", line);
      return 2;
    }
    printf("ok %u\n", (unsigned)time_us);
    fflush(stdout);
  }
  return 0;
}
