// bench_rules writes a generated rule set and matching events, for trying `ordain bench` and other
// engines.
//   build/release/bin/bench_rules access 10000 --out /tmp/access
//   build/release/bin/ordain bench --policies /tmp/access/rules.policy --events /tmp/access/events.jsonl
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "bench/families.h"

namespace {

using namespace ordain;

struct Options {
  std::string family;
  size_t rules = 1000;
  size_t events = 1000;
  uint64_t seed = 1;
  bool ragged = false;
  std::string out = ".";
};

std::string family_list() {
  std::string out = "Families:\n";
  for (const bench::Family& family : bench::families()) out += fmt::format("  {:<18} {}\n", family.name, family.about);
  return out;
}

bool write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) fmt::print(stderr, "bench_rules: cannot write {}\n", path.string());
  return static_cast<bool>(file);
}

int run(const Options& options) {
  const bench::Family* family = bench::find_family(options.family);
  if (family == nullptr) {
    fmt::print(stderr, "bench_rules: there is no family `{}`\n{}", options.family, family_list());
    return 2;
  }
  std::string events;
  const bench::Traffic traffic = options.ragged ? bench::Traffic::ragged : bench::Traffic::plain;
  for (const bench::Request& request :
       bench::draw_requests(*family, options.rules, options.seed, options.events, options.seed + 1, traffic)) {
    events += bench::event_json(request) + "\n";
  }
  std::error_code ignored;
  const std::filesystem::path directory = options.out;
  std::filesystem::create_directories(directory, ignored);
  const bool written = write_file(directory / "rules.policy", family->rules(options.rules, options.seed)) &&
                       write_file(directory / "events.jsonl", events);
  if (!written) return 2;
  fmt::print("{}\n{}\n", (directory / "rules.policy").string(), (directory / "events.jsonl").string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Writes a generated rule set and events that fit it", "bench_rules"};
  app.footer(family_list());
  app.add_option("family", options.family, "one of the families below")->required();
  app.add_option("rules", options.rules, "how many rules")->check(CLI::Range(10, 200000))->capture_default_str();
  app.add_option("--events", options.events, "how many events")->capture_default_str();
  app.add_option("--seed", options.seed, "the same seed gives the same files")->capture_default_str();
  app.add_option("--out", options.out, "the directory for rules.policy and events.jsonl")->capture_default_str();
  app.add_flag("--ragged", options.ragged, "events with absent fields, extremes and values that no rule names");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
