/*
 * The link's messages as they lie in a frame: little-endian, packed. docs/link-protocol.md says what each field means;
 * src/kitlink/messages.ts is the other end. Sizes are asserted: a changed field changes the protocol version.
 */
#ifndef KL_WIRE_H
#define KL_WIRE_H
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the wire is little-endian and so must be the machine"
#endif

#define KL_VERSION 1
#define KL_CHANNELS 2       /* servos on this board: Timer1 has two outputs */
#define KL_MAX_FRAME 128    /* decoded, with its CRC: what a receiver must hold */
#define KL_PERIOD_TICKS 40000u /* 20 ms, the hobby servo's 50 Hz */
#define KL_TICK_NS 500u
#define KL_PULSE_MIN 1000u  /* 500 µs: no CONFIG may go below */
#define KL_PULSE_MAX 5000u  /* 2500 µs */

enum {
  KL_HELLO = 0x01,
  KL_CONFIG = 0x02,
  KL_ARM = 0x03,
  KL_MOTION = 0x04,
  KL_HALT = 0x05,
  KL_INFO = 0x81,
  KL_ACK = 0x82,
  KL_NACK = 0x83,
  KL_STATE = 0x84,
};

enum { KL_LIMP, KL_ARMED, KL_HELD, KL_LATCHED };

/* Why a frame was refused, and why the arm is held. One list for both. */
enum {
  KL_OK,
  KL_SESSION,   /* not the session that is armed; for ARM: a session that was already used */
  KL_SEQUENCE,  /* not newer than the last one */
  KL_EXPIRED,   /* answers a sample that is too old */
  KL_NONCE,     /* not the nonce that this arming was answered with */
  KL_NOT_NOW,   /* MOTION while not armed; CONFIG or ARM while armed */
  KL_DIGEST,    /* the host believes in another CONFIG */
  KL_RANGE,     /* a pulse outside the limits */
  KL_NO_CONFIG, /* none was ever accepted */
  KL_BAD_CONFIG,
  KL_LENGTH,    /* payload of the wrong length, or an unknown type */
  KL_DEADLINE,  /* no MOTION in time: latched */
  KL_HOST,      /* held because the host said so */
};

enum { KL_HOLD, KL_RELAX };

#define PACKED __attribute__((packed))

typedef struct PACKED {
  uint8_t version, type;
  uint32_t session, sequence, time_us;
} kl_header;

typedef struct PACKED {
  uint16_t min, max, max_step; /* ticks; all zero: the channel gives no pulses */
} kl_channel_config;

typedef struct PACKED {
  uint8_t channels, reserved;
  uint16_t deadline_ms;
  uint16_t sample_phase; /* ticks after the start of the period */
  kl_channel_config channel[KL_CHANNELS];
} kl_config;

typedef struct PACKED {
  uint32_t digest, sample_us;
  uint16_t pulse[KL_CHANNELS];
} kl_arm;

typedef struct PACKED {
  uint32_t nonce, sample_us;
  uint16_t pulse[KL_CHANNELS];
} kl_motion;

typedef struct PACKED {
  uint8_t kind;
  uint32_t sample_us;
} kl_halt;

typedef struct PACKED {
  uint8_t version, channels, device, reason;
  uint16_t firmware, part, period_ticks, tick_ns, pulse_min, pulse_max;
  uint32_t digest, sequence, host_us, received_us;
} kl_info;

typedef struct PACKED {
  uint8_t type;
  uint32_t sequence, host_us, received_us, value; /* value: ARM: the nonce; CONFIG: its digest */
} kl_ack;

typedef struct PACKED {
  uint8_t type, reason;
  uint32_t sequence, host_us, received_us;
} kl_nack;

/* Each stops at 65535. Two-byte fields only, so nothing needs packing and each may be pointed at. */
typedef struct {
  uint16_t bad_checksum, bad_format, overruns, dropped;
  uint16_t session, sequence, expired, nonce, not_now, clamped;
} kl_counters;

typedef struct PACKED {
  uint16_t counts, pulse; /* pulse: what the timer has been told, 0 while there is none */
} kl_channel_state;

typedef struct PACKED {
  uint32_t sample_us;
  uint16_t sample_phase, period_ticks;
  uint8_t device, reason, channels, refusal;
  uint32_t digest;
  uint32_t motion_sequence, motion_host_us, motion_received_us, motion_applied_us;
  kl_counters counters;
  kl_channel_state channel[KL_CHANNELS];
} kl_state;

_Static_assert(sizeof(kl_header) == 14, "header");
_Static_assert(sizeof(kl_config) == 6 + 6 * KL_CHANNELS, "CONFIG");
_Static_assert(sizeof(kl_arm) == 8 + 2 * KL_CHANNELS, "ARM");
_Static_assert(sizeof(kl_motion) == 8 + 2 * KL_CHANNELS, "MOTION");
_Static_assert(sizeof(kl_halt) == 5, "HALT");
_Static_assert(sizeof(kl_info) == 32, "INFO");
_Static_assert(sizeof(kl_ack) == 17, "ACK");
_Static_assert(sizeof(kl_nack) == 14, "NACK");
_Static_assert(sizeof(kl_counters) == 20, "counters");
_Static_assert(sizeof(kl_state) == 52 + 4 * KL_CHANNELS, "STATE");
_Static_assert(sizeof(kl_header) + sizeof(kl_state) + 4 <= KL_MAX_FRAME, "the longest frame");

#endif
