// family_shell makes patterns on one command line, as they guard the shell of a coding agent.
#include <fmt/format.h>

#include "bench/families.h"

namespace ordain::bench {
namespace {

constexpr size_t kTextBytes = 200;
constexpr const char* kVerbs[] = {
    "rm -rf ", "curl -s ", "wget -q ", "chmod 777 ", "chown root ", "dd if=",     "mkfs.ext4 ", "nc -l ",   "scp ",
    "ssh ",    "sudo ",    "kill -9 ", "cat ",       "git push -f", "docker run", "kubectl ",   "psql -c ", "tar xf "};
constexpr const char* kPlaces[] = {"/etc/", "/srv/", "/home/", "/var/lib/", "http://", "https://", "~/.ssh/", "./"};
constexpr const char* kEndings[] = {".sh", ".py", ".key", ".pem", ".sql", ".env"};
constexpr const char* kPlainWords[] = {"list",  "the",    "files", "in",      "build", "and",  "count", "lines",
                                       "of",    "source", "make",  "test",    "run",   "echo", "done",  "python3",
                                       "cmake", "grep",   "find",  "-name",   "sort",  "head", "tail",  "--all",
                                       "src/",  "docs/",  "a.txt", "main.cc", "log",   "|",    "&&",    "print"};

// @returns the literal that distinguishes rule i's pattern
std::string fragment(size_t i, uint64_t seed) {
  Random random(seed, i);
  std::string out = random.pick(kVerbs);
  out += random.pick(kPlaces);
  out += random.word(4 + random.below(5));
  return out;
}
std::string ending(size_t i, uint64_t seed) {
  Random random(seed + 1, i);
  return random.word(4 + random.below(3)) + random.pick(kEndings);
}

std::string escape_regex(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += "\\\\";
    out += c;
  }
  return out;
}

std::string condition(size_t i, uint64_t seed) {
  const std::string text = fragment(i, seed);
  Random random(seed + 2, i);
  switch (random.below(10)) {
    case 0:
    case 1:
      return fmt::format("input.command.startsWith(\"{}\")", text);
    case 2:
      return fmt::format("input.command.endsWith(\"{}\")", ending(i, seed));
    case 3:
      return fmt::format("input.command.matches(\"{}[0-9]+\")", escape_regex(text));
    case 4:
      return fmt::format("input.command.matches(\"(^|[;&| ]){}.*{}\")", escape_regex(text),
                         escape_regex(ending(i, seed)));
    case 5:
      return fmt::format("input.command.matches(\"(?i)\\\\b{}\\\\b\")", escape_regex(ending(i, seed)));
    default:
      return fmt::format("input.command.contains(\"{}\")", text);
  }
}

Request command(std::string text) {
  Request out;
  out.capability = "shell";
  out.facts.push_back({"input.command", std::move(text)});
  return out;
}

std::string plain_text(Random& random) {
  std::string out;
  while (out.size() < kTextBytes) {
    out += random.pick(kPlainWords);
    out += ' ';
  }
  out.resize(kTextBytes);
  return out;
}

}  // namespace

std::string shell_rules(size_t count, uint64_t seed) {
  std::string out =
      "package bench;\ncapability shell { input { command: string } }\npolicy shell_rules on before shell {\n";
  for (size_t i = 0; i + 1 < count; ++i) {
    out += fmt::format("  {} c{} when {};\n", i % 4 == 3 ? "require_approval" : "deny", i, condition(i, seed));
  }
  return out + "  allow rest;\n}\n";
}

Request shell_plain_request(size_t, uint64_t, Random& random) { return command(plain_text(random)); }

// Draws pieces of patterns, whole and cut short, at the beginning, within and at the end.
Request shell_fragment_request(size_t count, uint64_t seed, Random& random) {
  std::string out;
  while (out.size() < kTextBytes) {
    const size_t rule = random.below(count - 1);
    std::string piece = random.one_in(3) ? ending(rule, seed) : fragment(rule, seed);
    if (!random.one_in(8)) piece.resize(piece.size() - 1 - random.below(3));
    out += piece;
    if (random.one_in(3)) out += fmt::format("{}", random.below(100));
    out += random.one_in(4) ? "; " : " ";
  }
  out.resize(kTextBytes);
  if (random.one_in(4)) {
    const std::string last = ending(random.below(count - 1), seed);
    out.replace(kTextBytes - last.size(), last.size(), last);
  }
  return command(out);
}

}  // namespace ordain::bench
