/* CRC-32/ISO-HDLC (zlib, Ethernet): polynomial 04C11DB7 reflected, init and final xor FFFFFFFF. Check("123456789") = CBF43926. */
#ifndef KL_CRC32_H
#define KL_CRC32_H
#include <stdint.h>

/* `crc` is 0 at the start, or what an earlier call returned. */
uint32_t kl_crc32(uint32_t crc, const void *bytes, uint16_t length);

/* The CRC of any bytes followed by their own CRC. */
#define KL_CRC32_RESIDUE 0x2144df1cUL

#endif
