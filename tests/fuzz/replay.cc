// replay runs a fuzz target without libFuzzer, as a test: on each given file, then on random
// variations of them, which are the same every time.
//   TARGET_replay [--random N] [--seed N] [--bytes] [--compiled] [--edited] [--write DIR]
//     [FILE|DIRECTORY]...
// --seed: other variations. --bytes: random inputs are plain random bytes. --compiled: policy files
// stand for the programs that they compile to. --edited: the target's own mutator makes the
// variations, if it has one. --write: instead of running anything, writes the inputs to a directory,
// as a first corpus for the fuzzer.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/stdlib.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
/// A target may have it.
extern "C" [[gnu::weak]] size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed);

namespace {

namespace fs = std::filesystem;
using Random = std::mt19937_64;

constexpr size_t kLargest = 1 << 20;  // that a target's own mutator may make

struct Options {
  size_t random = 0;
  uint64_t seed = 20240501;
  bool edited = false;
  bool bytes = false;
  bool compiled = false;
  std::string write;
  std::vector<std::string> paths;
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

// @returns every file below the paths, in a fixed order; none for a missing directory
std::vector<fs::path> files_of(const std::vector<std::string>& paths) {
  std::vector<fs::path> out;
  for (const std::string& path : paths) {
    if (fs::is_regular_file(path)) out.emplace_back(path);
    if (!fs::is_directory(path)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> inputs_of(const Options& options) {
  std::vector<std::string> out;
  for (const fs::path& path : files_of(options.paths)) {
    const std::string extension = path.extension();
    const bool policy = extension == ".policy";
    if (extension == ".jsonl" || extension == ".json" || extension == ".cc" || extension == ".md") continue;
    if (!options.compiled || !policy) {
      out.push_back(read(path));
      continue;
    }
    const auto compilation = ordain::compile({path.string()}, ordain::standard_library());
    if (compilation.program != nullptr) out.push_back(compilation.program->serialise());
  }
  return out;
}

std::string random_bytes(Random& random) {
  std::string out(16 + random() % 240, '\0');
  for (char& each : out) each = static_cast<char>(random());
  return out;
}

// Makes one small change: sets, removes or copies bytes, from another place or another input.
void mutate(Random& random, std::string& text, const std::string& other) {
  static const char* const kWords[] = {"(",
                                       ")",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       "'",
                                       "\"",
                                       "?",
                                       ":",
                                       ",",
                                       ".",
                                       "-",
                                       "!",
                                       "/*",
                                       "\n",
                                       " when ",
                                       " allow ",
                                       "99999999999999999999",
                                       "\\",
                                       "&&",
                                       "\xff",
                                       "\xc3",
                                       "in"};
  const size_t at = random() % (text.size() + 1);
  const size_t length = 1 + random() % 16;
  switch (random() % 4) {
    case 0:
      text.insert(at, kWords[random() % std::size(kWords)]);
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      if (at < text.size()) text[at] = static_cast<char>(random());
      break;
    default:
      if (!other.empty()) text.insert(at, other.substr(random() % other.size(), length * 4));
  }
}

std::string edited(Random& random, const std::string& input) {
  static std::vector<uint8_t> room(kLargest);
  if (input.size() > room.size()) return input;
  std::copy(input.begin(), input.end(), room.begin());
  const size_t size = LLVMFuzzerCustomMutator(room.data(), input.size(), room.size(), static_cast<unsigned>(random()));
  return {room.begin(), room.begin() + static_cast<ptrdiff_t>(size)};
}

std::string random_input(Random& random, const Options& options, const std::vector<std::string>& seeds) {
  if (options.bytes || seeds.empty()) return random_bytes(random);
  if (options.edited) return edited(random, seeds[random() % seeds.size()]);
  std::string out = seeds[random() % seeds.size()];
  const size_t changes = 1 + random() % 4;
  for (size_t i = 0; i < changes; ++i) mutate(random, out, seeds[random() % seeds.size()]);
  return out;
}

std::string running;

}  // namespace

// Takes the place of libFuzzer's.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  static Random random(size);
  std::string text(reinterpret_cast<const char*>(data), size);
  mutate(random, text, text);
  const size_t made = std::min(text.size(), max_size);
  std::memcpy(data, text.data(), made);
  return made;
}

namespace {

// Saves the current input after an abort, for a developer to examine.
extern "C" void keep_input(int) {
  const std::string path = (fs::temp_directory_path() / "ordain-fuzz-finding").string();
  std::ofstream(path, std::ios::binary) << running;
  std::cerr << "the input is in " << path << "\n";
}

extern "C" void keep_and_abort(int) { std::abort(); }

void run(std::string input) {
  running = std::move(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(running.data()), running.size());
}

void write(const std::string& directory, const std::vector<std::string>& inputs) {
  fs::create_directories(directory);
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::ofstream(fs::path(directory) / ("seed-" + std::to_string(i)), std::ios::binary) << inputs[i];
  }
}

Options read_options(int argc, char** argv) {
  Options out;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--bytes") {
      out.bytes = true;
    } else if (word == "--edited") {
      out.edited = LLVMFuzzerCustomMutator != nullptr;
    } else if (word == "--seed" && i + 1 < argc) {
      out.seed = std::stoull(argv[++i]);
    } else if (word == "--compiled") {
      out.compiled = true;
    } else if (word == "--random" && i + 1 < argc) {
      out.random = std::stoul(argv[++i]);
    } else if (word == "--write" && i + 1 < argc) {
      out.write = argv[++i];
    } else {
      out.paths.push_back(word);
    }
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = read_options(argc, argv);
    const std::vector<std::string> inputs = inputs_of(options);
    if (!options.write.empty()) {
      write(options.write, inputs);
      return 0;
    }
    std::signal(SIGABRT, keep_input);
    std::signal(SIGSEGV, keep_and_abort);
    run("");
    for (const std::string& input : inputs) run(input);
    Random random(options.seed);
    for (size_t i = 0; i < options.random; ++i) run(random_input(random, options, inputs));
    std::cout << inputs.size() << " files and " << options.random << " random inputs\n";
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "replay: " << e.what() << "\n";
    return 2;
  }
}
