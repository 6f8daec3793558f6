/* The link's core. See kitlink.h for the seam, ../../docs/link-protocol.md for the rules. */
#include "kitlink.h"
#include <string.h>
#include "cobs.h"
#include "crc32.h"

/* What is kept over a reset. The CRC is over everything before it; `layout` changes with the layout. */
typedef struct PACKED {
  uint8_t layout;
  kl_config config;
  uint32_t crc;
} record;
_Static_assert(sizeof(record) == 23, "the record in storage");

#define LAYOUT 1

static struct {
  record kept;
  bool configured, hello;
  uint8_t device, reason, refusal;
  uint32_t digest;
  uint32_t session, nonce, arm_sequence;
  uint32_t fed_us;     /* when the last accepted motion came */
  uint32_t sequence;   /* of our own frames */
  uint16_t period;     /* the last one that was accounted for */
  uint16_t out[KL_CHANNELS];    /* the pulse of the running period */
  uint16_t next[KL_CHANNELS];   /* the pulse of the next one: what the timer was told */
  uint16_t target[KL_CHANNELS]; /* where it is going, at max_step a period */
  uint32_t motion_sequence, motion_host_us, motion_received_us, motion_applied_us;
  uint32_t sample_noise; /* a few bits of the converters, for the nonce */
  kl_counters counters;
} kl;

static uint8_t received[KL_MAX_FRAME];
static kl_cobs parser = {.bytes = received, .capacity = KL_MAX_FRAME};
/* The CRC of `received` as far as it has come: taken byte by byte, so that nothing is left to do when the last one is in. */
static uint32_t received_crc;
static uint8_t received_at;

static struct PACKED {
  kl_header header;
  uint8_t rest[KL_MAX_FRAME - sizeof(kl_header)];
} frame;
static uint8_t wire[KL_COBS_SIZE(KL_MAX_FRAME) + 1];

static void count(uint16_t *counter) {
  if (*counter != UINT16_MAX) ++*counter;
}

/* ---- frames out ---- */

static void send(uint8_t type, const void *payload, uint8_t length) {
  frame.header.version = KL_VERSION;
  frame.header.type = type;
  frame.header.session = kl.session;
  frame.header.sequence = ++kl.sequence;
  frame.header.time_us = kl_port_now_us();
  memcpy(frame.rest, payload, length);
  uint32_t crc = kl_crc32(0, &frame, sizeof frame.header + length);
  memcpy(frame.rest + length, &crc, sizeof crc);
  uint16_t n = kl_cobs_encode((const uint8_t *)&frame, sizeof frame.header + length + sizeof crc, wire);
  wire[n] = 0;
  if (!kl_port_send(wire, n + 1)) count(&kl.counters.dropped);
}

static void acknowledge(const kl_header *to, uint32_t received_us, uint32_t value) {
  kl_ack ack = {to->type, to->sequence, to->time_us, received_us, value};
  send(KL_ACK, &ack, sizeof ack);
}

/* A refused MOTION is only counted: an answer to each would fill the line that STATE needs. */
static void refuse(const kl_header *to, uint32_t received_us, uint8_t reason) {
  kl.refusal = reason;
  switch (reason) {
    case KL_SESSION: count(&kl.counters.session); break;
    case KL_SEQUENCE: count(&kl.counters.sequence); break;
    case KL_EXPIRED: count(&kl.counters.expired); break;
    case KL_NONCE: count(&kl.counters.nonce); break;
    case KL_NOT_NOW: count(&kl.counters.not_now); break;
    default: break;
  }
  if (to->type == KL_MOTION) return;
  kl_nack nack = {to->type, reason, to->sequence, to->time_us, received_us};
  send(KL_NACK, &nack, sizeof nack);
}

/* ---- pulses ---- */

static uint16_t toward(uint16_t from, uint16_t to, uint16_t max_step) {
  if (to > from) return to - from > max_step ? from + max_step : to;
  return from - to > max_step ? from - max_step : to;
}

/* Steps at most max_step from the running pulse, so a second MOTION in one period cannot step twice. */
static void apply(void) {
  bool changed = false;
  for (uint8_t i = 0; i < KL_CHANNELS; i++) {
    uint16_t pulse = toward(kl.out[i], kl.target[i], kl.kept.config.channel[i].max_step);
    changed |= pulse != kl.next[i];
    kl.next[i] = pulse;
  }
  if (changed) kl_port_pulses(kl.next);
}

static void account_for_period(void) {
  uint16_t now = kl_port_period();
  if (now == kl.period) return;
  kl.period = now;
  memcpy(kl.out, kl.next, sizeof kl.out);
  if (kl.device == KL_ARMED) apply();
}

static void freeze(uint8_t device, uint8_t reason) {
  kl.device = device;
  kl.reason = reason;
  memcpy(kl.target, kl.next, sizeof kl.target);
}

static void relax(void) {
  memset(kl.out, 0, sizeof kl.out);
  memset(kl.next, 0, sizeof kl.next);
  memset(kl.target, 0, sizeof kl.target);
  kl.device = KL_LIMP;
  kl.reason = KL_HOST;
  kl_port_pulses(kl.next);
}

/* ---- checks ---- */

static uint32_t deadline_us(void) { return (uint32_t)kl.kept.config.deadline_ms * 1000; }

/*
 * A command names the sample that it answers, in our own time, so no offset between two clocks has to be agreed or followed: an Uno's
 * resonator may be 0.5 % off, which is 50 ms after ten seconds. A sample of the future is as wrong as an old one.
 */
static bool fresh(uint32_t sample_us, uint32_t now) {
  uint32_t age = now - sample_us;
  return age <= deadline_us();
}

static bool newer(uint32_t sequence, uint32_t than) { return (int32_t)(sequence - than) > 0; }

static bool valid(const kl_config *config) {
  if (config->channels != KL_CHANNELS || config->reserved != 0) return false;
  if (config->deadline_ms < 20 || config->deadline_ms > 500) return false;
  /* After the longest pulse, and early enough for an answer. */
  if (config->sample_phase < 6000 || config->sample_phase > 34000) return false;
  bool any = false;
  for (uint8_t i = 0; i < KL_CHANNELS; i++) {
    const kl_channel_config *c = &config->channel[i];
    if (c->min == 0 && c->max == 0 && c->max_step == 0) continue;
    if (c->min < KL_PULSE_MIN || c->max > KL_PULSE_MAX || c->min >= c->max) return false;
    if (c->max_step == 0 || c->max_step > KL_PULSE_MAX - KL_PULSE_MIN) return false;
    any = true;
  }
  return any;
}

/* How far outside its limits a pulse is. A channel that is off takes 0 only. */
static uint16_t excess(uint8_t i, uint16_t pulse) {
  const kl_channel_config *c = &kl.kept.config.channel[i];
  if (pulse < c->min) return c->min - pulse;
  return pulse > c->max ? pulse - c->max : 0;
}

/* 50 µs: less is rounding or a limit met a moment late, and clamped; more is a host that has lost its mind. */
#define GROSS_EXCESS 100

/* ---- frames in ---- */

static void on_hello(const kl_header *header, uint32_t now) {
  kl.hello = true;
  kl_info info = {
      .version = KL_VERSION,
      .channels = KL_CHANNELS,
      .device = kl.device,
      .reason = kl.reason,
      .firmware = KL_FIRMWARE,
      .part = kl_port_part(),
      .period_ticks = KL_PERIOD_TICKS,
      .tick_ns = KL_TICK_NS,
      .pulse_min = KL_PULSE_MIN,
      .pulse_max = KL_PULSE_MAX,
      .digest = kl.digest,
      .sequence = header->sequence,
      .host_us = header->time_us,
      .received_us = now,
  };
  send(KL_INFO, &info, sizeof info);
}

static uint32_t record_crc(void) { return kl_crc32(0, &kl.kept, sizeof kl.kept - sizeof kl.kept.crc); }

static void on_config(const kl_header *header, const kl_config *config, uint32_t now) {
  if (kl.device == KL_ARMED) return refuse(header, now, KL_NOT_NOW);
  if (!valid(config)) return refuse(header, now, KL_BAD_CONFIG);
  bool same = kl.configured && memcmp(config, &kl.kept.config, sizeof *config) == 0;
  if (!same) {
    kl.kept.layout = LAYOUT;
    kl.kept.config = *config;
    kl.kept.crc = record_crc();
    kl.digest = kl_crc32(0, config, sizeof *config);
    kl.configured = true;
    kl_port_store((const uint8_t *)&kl.kept, sizeof kl.kept);
  }
  acknowledge(header, now, kl.digest);
}

static void on_arm(const kl_header *header, const kl_arm *arm, uint32_t now) {
  /* The answer was lost and the host asks again: the same answer, nothing changes. */
  if (kl.device == KL_ARMED && header->session == kl.session && header->sequence == kl.arm_sequence)
    return acknowledge(header, now, kl.nonce);
  if (kl.device == KL_ARMED) return refuse(header, now, KL_NOT_NOW);
  if (!kl.configured) return refuse(header, now, KL_NO_CONFIG);
  if (arm->digest != kl.digest) return refuse(header, now, KL_DIGEST);
  if (header->session == 0 || header->session == kl.session) return refuse(header, now, KL_SESSION);
  if (!fresh(arm->sample_us, now)) return refuse(header, now, KL_EXPIRED);
  for (uint8_t i = 0; i < KL_CHANNELS; i++)
    if (excess(i, arm->pulse[i]) != 0) return refuse(header, now, KL_RANGE);

  kl.session = header->session;
  kl.arm_sequence = kl.motion_sequence = header->sequence;
  kl.motion_host_us = header->time_us;
  kl.motion_received_us = kl.fed_us = now;
  /* Not secret: it only has to differ from the one before, also after a reset, so that no older motion fits. */
  uint32_t seed[5] = {kl.nonce, now, header->time_us, header->session, kl.sample_noise};
  kl.nonce = kl_crc32(0, seed, sizeof seed);
  if (kl.nonce == 0) kl.nonce = 1;
  kl_port_settle();
  account_for_period();
  for (uint8_t i = 0; i < KL_CHANNELS; i++) {
    kl.target[i] = arm->pulse[i];
    /* From limp the servo starts where it stands; from held it goes on from the frozen pulse, at its speed limit. */
    if (kl.out[i] == 0) kl.out[i] = arm->pulse[i];
  }
  kl.device = KL_ARMED;
  kl.reason = KL_OK;
  apply();
  kl.motion_applied_us = kl_port_now_us();
  acknowledge(header, now, kl.nonce);
}

static void on_motion(const kl_header *header, const kl_motion *motion, uint32_t now) {
  if (header->session != kl.session || kl.session == 0) return refuse(header, now, KL_SESSION);
  if (kl.device != KL_ARMED) return refuse(header, now, KL_NOT_NOW);
  if (motion->nonce != kl.nonce) return refuse(header, now, KL_NONCE);
  if (!newer(header->sequence, kl.motion_sequence)) return refuse(header, now, KL_SEQUENCE);
  if (!fresh(motion->sample_us, now)) return refuse(header, now, KL_EXPIRED);
  for (uint8_t i = 0; i < KL_CHANNELS; i++)
    if (excess(i, motion->pulse[i]) > GROSS_EXCESS) {
      kl.refusal = KL_RANGE;
      return freeze(KL_LATCHED, KL_RANGE);
    }

  kl_port_settle();
  account_for_period();
  bool clamped = false;
  for (uint8_t i = 0; i < KL_CHANNELS; i++) {
    const kl_channel_config *c = &kl.kept.config.channel[i];
    uint16_t pulse = motion->pulse[i];
    clamped |= excess(i, pulse) != 0;
    kl.target[i] = pulse < c->min ? c->min : pulse > c->max ? c->max : pulse;
  }
  if (clamped) count(&kl.counters.clamped);
  kl.fed_us = now;
  apply();
  kl.motion_applied_us = kl_port_now_us();
  kl.motion_sequence = header->sequence;
  kl.motion_host_us = header->time_us;
  kl.motion_received_us = now;
}

/* A hold is obeyed whoever says so. To let the arm fall takes a frame that was meant for now. */
static void on_halt(const kl_header *header, const kl_halt *halt, uint32_t now) {
  if (halt->kind == KL_HOLD) {
    if (kl.device == KL_ARMED) freeze(KL_HELD, KL_HOST);
  } else if (halt->kind == KL_RELAX) {
    if (kl.device == KL_ARMED && header->session != kl.session) return refuse(header, now, KL_SESSION);
    if (!kl.configured) return refuse(header, now, KL_NO_CONFIG);
    if (!fresh(halt->sample_us, now)) return refuse(header, now, KL_EXPIRED);
    relax();
  } else {
    return refuse(header, now, KL_LENGTH);
  }
  acknowledge(header, now, kl.device);
}

/* Not inlined: its registers would be saved for every byte that comes in. */
static __attribute__((noinline)) void on_frame(const uint8_t *bytes, uint8_t length, uint32_t crc, uint32_t now) {
  if (length < sizeof(kl_header) + sizeof crc) return count(&kl.counters.bad_format);
  if (crc != KL_CRC32_RESIDUE) return count(&kl.counters.bad_checksum);
  const kl_header *header = (const kl_header *)bytes;
  const void *payload = bytes + sizeof *header;
  length -= sizeof *header + sizeof crc;
  /* HELLO is answered whatever version asks: the answer says which one we speak. */
  if (header->type == KL_HELLO) return on_hello(header, now);
  if (header->version != KL_VERSION) return count(&kl.counters.bad_format);
  if (header->type == KL_CONFIG && length == sizeof(kl_config)) return on_config(header, payload, now);
  if (header->type == KL_ARM && length == sizeof(kl_arm)) return on_arm(header, payload, now);
  if (header->type == KL_MOTION && length == sizeof(kl_motion)) return on_motion(header, payload, now);
  if (header->type == KL_HALT && length == sizeof(kl_halt)) return on_halt(header, payload, now);
  count(&kl.counters.bad_format);
  refuse(header, now, KL_LENGTH);
}

/* ---- the port's calls ---- */

void kl_begin(void) {
  memset(&kl, 0, sizeof kl);
  kl_cobs_reset(&parser);
  kl_port_load((uint8_t *)&kl.kept, sizeof kl.kept);
  kl.configured = kl.kept.layout == LAYOUT && kl.kept.crc == record_crc() && valid(&kl.kept.config);
  if (kl.configured) kl.digest = kl_crc32(0, &kl.kept.config, sizeof kl.kept.config);
  kl.period = kl_port_period();
}

uint16_t kl_sample_phase(void) { return kl.configured ? kl.kept.config.sample_phase : 24000; }

void kl_receive(uint8_t byte) {
  kl_cobs_result result = kl_cobs_put(&parser, byte);
  if (result == KL_COBS_MORE) {
    if (parser.length < received_at) received_at = received_crc = 0;
    received_crc = kl_crc32(received_crc, received + received_at, parser.length - received_at);
    received_at = parser.length;
    return;
  }
  uint32_t crc = received_crc;
  received_at = received_crc = 0;
  if (result == KL_COBS_FRAME)
    on_frame(received, parser.length, crc, kl_port_now_us());
  else
    count(&kl.counters.bad_format);
}

void kl_poll(void) {
  account_for_period();
  if (kl.device == KL_ARMED && kl_port_now_us() - kl.fed_us > deadline_us()) freeze(KL_LATCHED, KL_DEADLINE);
}

void kl_sampled(uint32_t sample_us, uint16_t phase, const uint16_t counts[KL_CHANNELS]) {
  for (uint8_t i = 0; i < KL_CHANNELS; i++) kl.sample_noise = kl.sample_noise * 33 + counts[i];
  if (!kl.hello) return;
  kl.counters.overruns = kl_port_overruns();
  kl_state state = {
      .sample_us = sample_us,
      .sample_phase = phase,
      .period_ticks = KL_PERIOD_TICKS,
      .device = kl.device,
      .reason = kl.reason,
      .channels = KL_CHANNELS,
      .refusal = kl.refusal,
      .digest = kl.digest,
      .motion_sequence = kl.motion_sequence,
      .motion_host_us = kl.motion_host_us,
      .motion_received_us = kl.motion_received_us,
      .motion_applied_us = kl.motion_applied_us,
      .counters = kl.counters,
  };
  for (uint8_t i = 0; i < KL_CHANNELS; i++) {
    state.channel[i].counts = counts[i];
    state.channel[i].pulse = kl.next[i];
  }
  send(KL_STATE, &state, sizeof state);
}
