// libordain.so and the command load the code generator, which brings LLVM, from a library of its own
// when native code is first asked for. The library is looked for in fixed places beside the file that
// holds this code. Neither the environment nor the working directory has a say in that. A library
// that was made from other sources is not used, because the two share the layout of their data.
#include <dlfcn.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "embed/code_generator.h"
#include "native_sources.h"

namespace ordain::detail {
namespace {

using OpenCodeGenerator = decltype(&ordain_private_code_generator);

// Where the library may be, seen from the directory of the file that holds this code.
constexpr const char* kPlaces[] = {ORDAIN_CODE_GENERATOR_PLACES};

Error unavailable(std::string why) { return {"native_unavailable", std::move(why)}; }

// Whether a line of /proc/self/maps, which starts with `begin-end` in hexadecimal, has the address.
bool maps_address(std::string_view line, uintptr_t address) {
  uintptr_t begin = 0, end = 0;
  const char* last = line.data() + line.size();
  const auto [dash, error] = std::from_chars(line.data(), last, begin, 16);
  if (error != std::errc() || dash == last || *dash != '-') return false;
  if (std::from_chars(dash + 1, last, end, 16).ec != std::errc()) return false;
  return begin <= address && address < end;
}

// The directory of the program or the library that holds this code, as the kernel has mapped it; ""
// if the kernel does not say.
std::string own_directory() {
  const auto here = reinterpret_cast<uintptr_t>(&own_directory);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (!maps_address(line, here)) continue;
    const size_t path = line.find('/');
    return path == std::string::npos ? "" : line.substr(path, line.rfind('/') - path);
  }
  return "";
}

// The library stays loaded until the process ends, because its code may run as long as any program
// exists.
Result<const vm::CodeGenerator*> load_code_generator(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    return unavailable("cannot load the code generator: " + (why == nullptr ? path : std::string(why)));
  }
  const auto open = reinterpret_cast<OpenCodeGenerator>(dlsym(library, "ordain_private_code_generator"));
  const vm::CodeGenerator* generator = open == nullptr ? nullptr : open(ORDAIN_RELEASE, kNativeSources);
  if (generator == nullptr) return unavailable(path + " does not belong to this build of Ordain");
  return generator;
}

Result<const vm::CodeGenerator*> find_code_generator() {
  const std::string directory = own_directory();
  if (directory.empty()) return unavailable("/proc/self/maps does not tell where Ordain is installed");
  std::string missing;
  for (const char* place : kPlaces) {
    const std::string path = (std::filesystem::path(directory) / place).lexically_normal().string();
    if (access(path.c_str(), F_OK) == 0) return load_code_generator(path);
    missing += (missing.empty() ? "" : ", ") + path;
  }
  return unavailable("the code generator is not installed: " + missing);
}

}  // namespace

Result<const vm::CodeGenerator*> open_code_generator() {
  static const Result<const vm::CodeGenerator*> generator = find_code_generator();
  return generator;
}

}  // namespace ordain::detail
