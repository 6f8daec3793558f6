/* COBS, see cobs.h. The same vectors (../vectors/cobs.json) test this and the TypeScript codec. */
#include "cobs.h"

void kl_cobs_reset(kl_cobs *cobs) {
  cobs->length = 0;
  cobs->left = 0;
  cobs->zero_due = 0;
  cobs->overflow = 0;
  cobs->any = 0;
}

static void append(kl_cobs *cobs, uint8_t byte) {
  if (cobs->length < cobs->capacity)
    cobs->bytes[cobs->length++] = byte;
  else
    cobs->overflow = 1;
}

kl_cobs_result kl_cobs_put(kl_cobs *cobs, uint8_t byte) {
  if (byte == 0) {
    uint8_t length = cobs->length, any = cobs->any, bad = cobs->left != 0 || cobs->overflow;
    kl_cobs_reset(cobs);
    if (!any) return KL_COBS_MORE;
    if (bad) return KL_COBS_BAD;
    cobs->length = length; /* read by the caller, cleared by the next byte: `any` is 0 */
    return KL_COBS_FRAME;
  }
  if (!cobs->any) {
    cobs->length = 0;
    cobs->any = 1;
  }
  if (cobs->left == 0) {
    if (cobs->zero_due) append(cobs, 0);
    cobs->left = (uint8_t)(byte - 1);
    cobs->zero_due = byte != 255;
  } else {
    append(cobs, byte);
    cobs->left--;
  }
  return KL_COBS_MORE;
}

uint16_t kl_cobs_encode(const uint8_t *in, uint16_t length, uint8_t *out) {
  uint16_t code_at = 0, at = 1;
  uint8_t code = 1;
  for (uint16_t i = 0; i < length; i++) {
    if (in[i] == 0) {
      out[code_at] = code;
      code_at = at++;
      code = 1;
      continue;
    }
    out[at++] = in[i];
    code++;
    if (code == 255 && i + 1 < length) {
      out[code_at] = code;
      code_at = at++;
      code = 1;
    }
  }
  out[code_at] = code;
  return at;
}
