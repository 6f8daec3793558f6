/*
 * The link's core: frames in, servo pulses out, and every reason for which an arm must not move. Portable: no heap, no floating
 * point, no interrupt; the port (atmega328p.c, host.c) gives it time, bytes and a place to keep 24 bytes.
 */
#ifndef KITLINK_H
#define KITLINK_H
#include <stdbool.h>
#include <stdint.h>
#include "wire.h"

#define KL_FIRMWARE 0x0001 /* 0.1 */

/* ---- called by the port ---- */

/* Once, after reset: limp, no session, CONFIG from storage if its CRC holds. */
void kl_begin(void);
/* A byte came in. */
void kl_receive(uint8_t byte);
/* As often as possible: period changes and the deadline. */
void kl_poll(void);
/* Both converters are read: sends STATE if a host has said HELLO. `phase` is in ticks. */
void kl_sampled(uint32_t sample_us, uint16_t phase, const uint16_t counts[KL_CHANNELS]);
/* Phase at which the port should sample, in ticks. */
uint16_t kl_sample_phase(void);

/* ---- given by the port ---- */

/* Microseconds since reset; wraps after 71 minutes, and everything here is written for that. */
uint32_t kl_port_now_us(void);
/* Counts the periods begun. */
uint16_t kl_port_period(void);
/* Waits out the last 50 µs of a period, so that all channels change in the same one. */
void kl_port_settle(void);
/* Pulses from the next period on, in ticks. 0: none, pin low. */
void kl_port_pulses(const uint16_t ticks[KL_CHANNELS]);
/* All or nothing: false where there is no room. */
bool kl_port_send(const uint8_t *bytes, uint16_t length);
/* Bytes lost so far: the receiver's overruns and those for which the ring had no room. */
uint16_t kl_port_overruns(void);
void kl_port_load(uint8_t *bytes, uint8_t length);
/* May take its time; `bytes` stays as it is until the next call. */
void kl_port_store(const uint8_t *bytes, uint8_t length);
uint16_t kl_port_part(void);

#endif
