// framing.h splits a stream of bytes into messages, and frames messages for a stream, as the Language
// Server Protocol does: a header with `Content-Length`, an empty line, and the message.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ordain::lsp {

struct FrameLimits {
  size_t header_bytes = 8 << 10;
  size_t message_bytes = 64 << 20;
};

/// Takes bytes as they arrive and gives whole messages. A header that cannot be understood leaves no way to find the
/// next message, so the reader is then broken for good. Memory is taken for bytes that have arrived, never for those
/// that a header announces.
class FrameReader {
 public:
  explicit FrameReader(FrameLimits limits = {}) : limits_(limits) {}

  void append(std::string_view bytes);
  /// @returns the next whole message, if there is one
  std::optional<std::string> next();
  /// What is wrong with a header; "" as long as nothing is
  const std::string& mistake() const& { return mistake_; }
  const std::string& mistake() const&& = delete;

 private:
  bool read_header();
  bool read_field(std::string_view line);
  bool fail(std::string why);

  FrameLimits limits_;
  std::string bytes_;
  size_t at_ = 0;  // where the unread bytes begin
  std::optional<size_t> length_;
  std::string mistake_;
};

std::string framed(std::string_view message);

}  // namespace ordain::lsp
