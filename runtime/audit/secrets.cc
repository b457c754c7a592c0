// secrets.cc walks the declared paths through a value, and keeps the key of a directory.
#include "runtime/audit/secrets.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "ordain/identity.h"
#include "ordain/json.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {
namespace {

constexpr const char* kSecretKeyFile = "secrets.key";
constexpr std::string_view kEveryElement = "[*]";

/// Removes the next step from the path of a secret. An empty name stands for `[*]`.
std::string_view take_secret_step(std::string_view& path) {
  if (path.starts_with(kEveryElement)) {
    path.remove_prefix(kEveryElement.size());
    return {};
  }
  path.remove_prefix(1);
  const std::string_view name = path.substr(0, path.find_first_of(".["));
  path.remove_prefix(name.size());
  return name;
}

/// Removes ".name" or "[7]" from the front of the path of a value. @returns the name; "" for an index
std::string_view take_value_step(std::string_view& path) {
  if (path.starts_with('[')) {
    path.remove_prefix(std::min(path.find(']'), path.size() - 1) + 1);
    return {};
  }
  return take_secret_step(path);
}

class Concealer {
 public:
  Concealer(Arena& arena, const DigestKey& key, std::vector<FoundValue>* found)
      : arena_(arena), key_(key), found_(found) {}

  Value conceal(const Value& value, std::string_view path, const std::string& here) {
    if (!value.present() || value.is(Kind::null)) return value;
    if (path.empty()) return stand_in(value, here);
    const std::string_view name = take_secret_step(path);
    if (value.is(Kind::map)) return conceal_entries(value, name, path, here);
    if (value.is(Kind::list) && name.empty()) return conceal_items(value, path, here);
    return stand_in(value, here);
  }

 private:
  Value conceal_items(const Value& list, std::string_view path, const std::string& here) {
    Value* items = arena_.array<Value>(list.aux);
    size_t at = 0;
    for (const Value& item : list.as_list()) {
      items[at] = conceal(item, path, here + "[" + std::to_string(at) + "]");
      ++at;
    }
    return Value::list({items, at});
  }

  Value conceal_entries(const Value& map, std::string_view name, std::string_view path, const std::string& here) {
    MapEntry* entries = arena_.array<MapEntry>(map.map->count);
    size_t at = 0;
    for (const MapEntry& entry : map.map->all()) {
      const bool text = entry.key.is(Kind::string);
      const bool meant = name.empty() || (text && entry.key.as_text() == name);
      entries[at] = entry;
      if (meant) {
        const std::string key = text ? std::string(entry.key.as_text()) : to_json(entry.key);
        entries[at].value = conceal(entry.value, path, here + "." + key);
      }
      ++at;
    }
    return Value::map_of(make_map(arena_, {entries, at}));
  }

  /// A value that another path has already replaced stays as it is.
  Value stand_in(const Value& value, const std::string& here) {
    for (const FoundValue& known : *found_) {
      if (known.path == here) return value;
    }
    found_->push_back({here, value});
    return Value::string(arena_.copy(std::string_view(secret_text(key_, value))));
  }

  Arena& arena_;
  const DigestKey& key_;
  std::vector<FoundValue>* found_;
};

/// Makes the key in a file of its own and gives it its name at once, so that no process reads half a key.
Result<void> make_secret_key(const std::string& path) {
  const std::string fresh = path + "." + Id128::random().hex();
  const DigestKey key = DigestKey::generate();
  if (auto saved = key.save(fresh); !saved.ok()) return saved;
  std::error_code linked, ignored;
  std::filesystem::create_hard_link(fresh, path, linked);
  std::filesystem::remove(fresh, ignored);
  if (!linked || linked == std::errc::file_exists) return {};
  // The file system has no links.
  auto saved = key.save(path);
  return saved.ok() || saved.error().code == "key_exists" ? Result<void>() : saved;
}

}  // namespace

Result<DigestKey> open_secret_key(const std::string& directory) {
  const std::string path = sqlite::path_in(directory, kSecretKeyFile);
  if (!sqlite::file_exists(path)) {
    if (auto made = make_secret_key(path); !made.ok()) return made.error();
    if (auto synced = sqlite::sync_directory(directory); !synced.ok()) return synced.error();
  }
  return DigestKey::load(path);
}

const std::vector<std::string>& secrets_of(const Schema& schema, CapabilityId capability) {
  static const std::vector<std::string> kNothing;
  return capability < schema.capabilities.size() ? schema.capabilities[capability].secrets : kNothing;
}

std::string secret_text(const DigestKey& key, const Value& value) {
  std::string bytes;
  append_value(bytes, value);
  return "secret:" + to_hex(key.digest(bytes)).substr(0, 16);
}

Value conceal_secrets(Arena& arena, const Value& root, std::string_view root_name,
                      const std::vector<std::string>& secrets, const DigestKey& key, std::vector<FoundValue>* found) {
  Concealer concealer(arena, key, found);
  Value out = root;
  for (std::string_view path : secrets) {
    if (!path.starts_with(root_name)) continue;
    path.remove_prefix(root_name.size());
    out = concealer.conceal(out, path, std::string(root_name));
  }
  return out;
}

bool is_secret(const std::vector<std::string>& secrets, std::string_view path) {
  return std::any_of(secrets.begin(), secrets.end(), [path](std::string_view secret) {
    std::string_view rest = path;
    const size_t root = secret.find_first_of(".[");
    if (!rest.starts_with(secret.substr(0, root))) return false;
    rest.remove_prefix(root);
    secret.remove_prefix(root);
    while (!secret.empty() && !rest.empty()) {
      const std::string_view wanted = take_secret_step(secret);
      if (take_value_step(rest) != wanted && !wanted.empty()) return false;
    }
    return rest.empty();
  });
}

}  // namespace ordain::detail
