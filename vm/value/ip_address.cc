// Reads addresses with the system's own reader.
#include "vm/value/ip_address.h"

#include <arpa/inet.h>

#include <cstring>

namespace ordain {

IpReading read_ip_address(std::string_view text, IpAddress* out) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.find('%') != std::string_view::npos) return IpReading::zone;
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return IpReading::bad;
  terminated[text.copy(terminated, text.size())] = '\0';
  const bool v6 = text.find(':') != std::string_view::npos;
  out->size = v6 ? 16 : 4;
  if (inet_pton(v6 ? AF_INET6 : AF_INET, terminated, out->bytes) != 1) return IpReading::bad;
  static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!v6 || std::memcmp(out->bytes, kMapped, sizeof kMapped) != 0) return IpReading::good;
  if (text.find('.') != std::string_view::npos) return IpReading::mapped;
  std::memmove(out->bytes, out->bytes + sizeof kMapped, 4);
  out->size = 4;
  return IpReading::good;
}

IpAddress ip_address_of(const Value& value) {
  IpAddress out;
  out.size = value.aux & 0xFF;
  std::memcpy(out.bytes, value.text, out.size);
  return out;
}

IpAddress network_of(IpAddress address, uint32_t length) {
  for (uint32_t bit = length; bit < address.size * 8; ++bit) {
    address.bytes[bit / 8] &= static_cast<unsigned char>(~(0x80 >> bit % 8));
  }
  return address;
}

}  // namespace ordain
