/*
 * Consistent Overhead Byte Stuffing (Cheshire & Baker 1999): a frame without zeros, so that a zero always ends one. Written for a
 * stream: the decoder takes one byte at a time and never writes past its buffer.
 */
#ifndef KL_COBS_H
#define KL_COBS_H
#include <stdint.h>

/* One code byte for every 254 bytes, and the first one. */
#define KL_COBS_SIZE(n) ((n) + (n) / 254 + 1)

typedef struct {
  uint8_t *bytes;    /* the frame so far */
  uint8_t capacity;
  uint8_t length;
  uint8_t left;      /* data bytes still to come in this block */
  uint8_t zero_due;  /* the block before ended in a zero, written only if another block follows */
  uint8_t overflow;  /* longer than the buffer: the rest is thrown away */
  uint8_t any;       /* something came since the last delimiter */
} kl_cobs;

typedef enum { KL_COBS_MORE, KL_COBS_FRAME, KL_COBS_BAD } kl_cobs_result;

void kl_cobs_reset(kl_cobs *cobs);

/* FRAME: `length` bytes are there, until the next call. BAD: what ended here was cut short or too long. Empty frames say MORE. */
kl_cobs_result kl_cobs_put(kl_cobs *cobs, uint8_t byte);

/* Returns the length, without delimiter. `out` holds KL_COBS_SIZE(length). Canonical: no empty block after 254 bytes at the end. */
uint16_t kl_cobs_encode(const uint8_t *in, uint16_t length, uint8_t *out);

#endif
