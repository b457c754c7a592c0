// ordain keys: the operator's keys.
#include "ordain/keys.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/command.h"
#include "cli/key_options.h"
#include "cli/terminal.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string directory = ".";
  std::string name = "operator";
};

int init(const Options& options) {
  namespace fs = std::filesystem;
  const fs::path directory = options.directory;
  std::error_code failed;
  if (fs::create_directories(directory, failed)) {
    fs::permissions(directory, fs::perms::owner_all, failed);
  }
  if (failed) return fail({"unwritable", fmt::format("{}: {}", options.directory, failed.message())});
  const std::string secret = (directory / "operator.key").string();
  const std::string open = (directory / "operator.pub").string();
  const std::string digests = (directory / "digest.key").string();
  for (const std::string& path : {secret, open, digests}) {
    if (fs::exists(fs::symlink_status(path))) {
      return fail({"key_exists", path + " is there already; keys are never overwritten"});
    }
  }
  auto key = PrivateKey::generate(options.name);
  if (!key) return fail(key.error());
  if (auto saved = key->save(secret); !saved) return fail(saved.error());
  if (auto saved = DigestKey::generate().save(digests); !saved) return fail(saved.error());
  std::ofstream out(open, std::ios::binary);
  out << key->public_key().text() << '\n';
  out.close();
  if (!out) return fail({"unwritable", "cannot write " + open});
  fmt::print("{}\n", key->public_key().text());
  fmt::print(stderr,
             "{}: the private key; keep it from agents\n{}: the public key, printed above\n{}: for digests of "
             "redacted values\n",
             secret, open, digests);
  return kOk;
}

int show(const std::string& path) {
  auto key = PrivateKey::load(path);
  if (!key) return fail(key.error());
  fmt::print("{}\n", key->public_key().text());
  return kOk;
}

}  // namespace

Result<PublicKey> read_public_key(const std::string& given) {
  std::error_code ignored;
  return std::filesystem::exists(given, ignored) ? PublicKey::load(given) : PublicKey::parse(given);
}

Result<std::vector<PublicKey>> read_public_keys(const std::vector<std::string>& given) {
  std::vector<PublicKey> out;
  for (const std::string& one : given) {
    auto key = read_public_key(one);
    if (!key) return Error{key.error().code, fmt::format("--key {}: {}", one, key.error().message)};
    out.push_back(*key);
  }
  return out;
}

Command add_database_command(Command parent, DatabaseOptions& options, const char* key_help, const char* name,
                             const char* about) {
  Command command = parent.add_command(name, about);
  command.add_option("--db", options.database, "the database directory").names_directory().required();
  command.add_option("--key", options.key, key_help).names_file();
  command.add_option("--trust", options.trust, "a public key, or its file, that signatures are checked with")
      .names_file();
  command.add_flag("--json", options.json, "print JSON, one object a line");
  return command;
}

int fail_on_database(const Error& error) {
  complain(error.message);
  return error.code.rfind("database_", 0) == 0 || error.code == "no_database" || error.code.rfind("key_", 0) == 0 ||
                 error.code == "bad_key"
             ? kUsage
             : kFindings;
}

Result<OperatorKeys> operator_keys(const std::string& key, const std::vector<std::string>& trust) {
  OperatorKeys out;
  if (!key.empty()) {
    auto loaded = PrivateKey::load(key);
    if (!loaded) return loaded.error();
    out.sign = std::move(*loaded);
  }
  auto trusted = read_public_keys(trust);
  if (!trusted) return trusted.error();
  out.trust = std::move(*trusted);
  return out;
}

std::string user_name() {
  const char* user = std::getenv("USER");
  return user != nullptr && *user != '\0' ? user : fmt::format("uid-{}", getuid());
}

void add_keys(Command parent) {
  auto options = std::make_shared<Options>();
  Command keys = parent.add_command("keys", "Make the keys that sign checkpoints");
  keys.require_command();
  keys.set_footer("Exit codes: 0 done, 2 a file is there already, cannot be written, or others could read it.");

  Command maker = keys.add_command("init", "Make operator.key, operator.pub and digest.key; print the public key");
  maker.add_option("--dir", options->directory, "where; made if missing").names_directory().show_default();
  maker.add_option("--name", options->name, "the key's name: printable ASCII without spaces and '+'").show_default();
  maker.set_action([options] { return init(*options); });

  auto path = std::make_shared<std::string>();
  Command shower = keys.add_command("show", "Print the public key of a private one");
  shower.add_option("file", *path, "operator.key").names_file().required();
  shower.set_action([path] { return show(*path); });
}

}  // namespace ordain::cli
