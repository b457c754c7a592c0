// compiled_file.cc recognises serialised programs by the bytes that they begin with. What the bytes
// hold is the loader's to check: it accepts any, and runs none that it has not verified.
#include "compiler/compiled_file.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "vm/program/format.h"

namespace ordain::detail {

bool looks_compiled(std::string_view bytes) { return bytes.starts_with(format::kMagic); }

std::optional<std::string> read_compiled_file(const std::vector<std::string>& paths) {
  std::error_code error;
  // Reading a pipe or a device could block or never end.
  if (paths.size() != 1 || !std::filesystem::is_regular_file(paths.front(), error)) return std::nullopt;
  std::ifstream stream(paths.front(), std::ios::binary);
  std::string bytes(format::kMagic.size(), '\0');
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || !looks_compiled(bytes)) {
    return std::nullopt;
  }
  const uintmax_t size = std::filesystem::file_size(paths.front(), error);
  if (error || size < bytes.size() || size > format::kMaxFileSize) return bytes;  // the loader says what is wrong
  bytes.resize(static_cast<size_t>(size));
  const size_t read = format::kMagic.size();
  stream.read(bytes.data() + read, static_cast<std::streamsize>(bytes.size() - read));
  bytes.resize(read + static_cast<size_t>(stream.gcount()));
  return bytes;
}

Compilation load_compiled(const std::string& path, std::string_view bytes, const FunctionTable& functions) {
  Compilation out;
  out.diagnostics.sources.push_back(std::make_shared<Source>(Source{path, ""}));
  Result<std::shared_ptr<const Program>> program = Program::load(bytes, functions);
  if (program) {
    out.program = *std::move(program);
  } else {
    out.diagnostics.error("bad-program", {0, 0, 0}, "cannot use " + path + ": " + program.error().message,
                          "make it again from its policies: `ordain compile PATH... -o FILE`");
  }
  return out;
}

void report_compiled(Diagnostics& diagnostics, Span span, const std::string& path) {
  diagnostics.error("bad-program", span, path + " is a compiled program, and policy text is needed here",
                    "a command that decides takes a compiled program if it is given alone");
}

}  // namespace ordain::detail
