// Reads the text of an IP address, for the functions on networks and for the index over ranges of
// addresses, so that both mean the same.
#pragma once

#include <cstdint>
#include <string_view>

#include "ordain/value.h"

namespace ordain {

/// An address in network byte order: 4 or 16 bytes.
struct IpAddress {
  unsigned char bytes[16] = {};
  uint32_t size = 0;

  bool v4() const { return size == 4; }
};

enum class IpReading : uint8_t { good, bad, zone, mapped };

/// Reads an address without a zone. An IPv4 address in IPv6 notation is that IPv4 address if it is
/// written in hexadecimal (::ffff:c0a8:1); with dots, it is `mapped`. Unless the result is `good`,
/// `out` is meaningless.
IpReading read_ip_address(std::string_view text, IpAddress* out);

/// The address of an ip or a cidr.
IpAddress ip_address_of(const Value& value);
/// The address with the bits past the first `length` zero.
IpAddress network_of(IpAddress address, uint32_t length);
/// How many bits a cidr fixes.
inline uint32_t prefix_length_of(const Value& cidr) { return cidr.aux >> 8 & 0xFF; }

}  // namespace ordain
