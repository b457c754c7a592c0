// These tests cover keys, signed notes, and the files that hold them.
#include "ordain/keys.h"

#include <sys/stat.h>

#include <fstream>

#include "runtime/audit/checkpoint.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

PrivateKey make_key(const std::string& name = "example.com") {
  auto key = PrivateKey::generate(name);
  EXPECT_TRUE(key.ok()) << key.error().message;
  return *key;
}

TEST(Keys, AKeyPairSurvivesItsFile) {
  testing::TemporaryDirectory files;
  PrivateKey key = make_key();
  ASSERT_TRUE(key.save(files / "k").ok());
  struct stat status{};
  ASSERT_EQ(stat((files / "k").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  auto loaded = PrivateKey::load(files / "k");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->public_key(), key.public_key());
  EXPECT_TRUE(key.public_key().verify("text", loaded->sign("text")));
  EXPECT_FALSE(key.public_key().verify("texT", loaded->sign("text")));
  EXPECT_FALSE(make_key().public_key().verify("text", key.sign("text")));
}

TEST(Keys, FilesAreNeverOverwrittenAndNotReadIfOthersCould) {
  testing::TemporaryDirectory files;
  PrivateKey key = make_key();
  ASSERT_TRUE(key.save(files / "k").ok());
  EXPECT_EQ(make_key().save(files / "k").error().code, "key_exists");
  EXPECT_EQ(PrivateKey::load(files / "k")->public_key(), key.public_key());
  for (mode_t mode : {0640, 0604, 0610, 0666}) {
    ASSERT_EQ(chmod((files / "k").c_str(), mode), 0);
    EXPECT_EQ(PrivateKey::load(files / "k").error().code, "key_exposed") << mode;
  }
  EXPECT_EQ(PrivateKey::load(files / "none").error().code, "key_unreadable");
  EXPECT_EQ(PrivateKey::load(files.path()).error().code, "key_unreadable");
  EXPECT_EQ(key.save(files / "no/k").error().code, "key_unwritable");
  ASSERT_TRUE(DigestKey::generate().save(files / "d").ok());
  EXPECT_EQ(PrivateKey::load(files / "d").error().code, "bad_key");
  ASSERT_EQ(chmod((files / "d").c_str(), 0644), 0);
  EXPECT_EQ(DigestKey::load(files / "d").error().code, "key_exposed");
}

TEST(Keys, PublicKeysAreReadStrictly) {
  std::string text = make_key().public_key().text();
  ASSERT_TRUE(PublicKey::parse(text).ok());
  EXPECT_EQ((*PublicKey::parse(text)).text(), text);
  for (size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(PublicKey::parse(changed).ok()) << changed;
  }
  EXPECT_FALSE(PublicKey::parse("").ok());
  EXPECT_FALSE(PublicKey::parse("a+b").ok());
  EXPECT_FALSE(PublicKey::parse("PRIVATE+KEY+" + text).ok());
  for (const char* name : {"", "a b", "a+b", "a\n", "\xC3\xA9"}) EXPECT_FALSE(PrivateKey::generate(name).ok()) << name;
}

// A published example, made by another implementation of signed notes.
TEST(Keys, ReadsTheKeyAndNoteOfAnotherImplementation) {
  auto key = PublicKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  ASSERT_TRUE(key.ok()) << key.error().message;
  std::string text =
      "If you think cryptography is the answer to your problem,\n"
      "then you don't know what your problem is.\n";
  std::string signature =
      "\xE2\x80\x94 PeterNeumann "
      "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  auto opened = open_note(text + "\n" + signature, {*key});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(*opened, text);
}

TEST(Keys, NotesHoldAgainstEveryChangedByte) {
  PrivateKey key = make_key();
  std::vector<PublicKey> keys = {key.public_key()};
  std::string note = sign_note(key, "example.com/log\n5\nroot\n");
  ASSERT_TRUE(open_note(note, keys).ok());
  for (size_t at = 0; at < note.size(); ++at) {
    std::string changed = note;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(open_note(changed, keys).ok()) << changed;
  }
  EXPECT_EQ(open_note(note, {make_key().public_key()}).error().code, "not_signed");
  EXPECT_EQ(open_note("no signature\n\n", keys).error().code, "bad_note");
  EXPECT_EQ(open_note("", keys).error().code, "bad_note");
  std::string two =
      note + sign_note(make_key("witness.org"), "example.com/log\n5\nroot\n").substr(note.find("\n\n") + 2);
  EXPECT_TRUE(open_note(two, keys).ok()) << "another's signature beside ours";
}

TEST(Keys, DigestsNeedTheKey) {
  testing::TemporaryDirectory files;
  DigestKey key = DigestKey::generate();
  ASSERT_TRUE(key.save(files / "d").ok());
  auto loaded = DigestKey::load(files / "d");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->digest("x"), key.digest("x"));
  EXPECT_EQ(loaded->id(), key.id());
  EXPECT_NE(DigestKey::generate().digest("x"), key.digest("x"));
}

TEST(Checkpoints, AFileOfNotesIsSplitAndDamageNamed) {
  testing::TemporaryDirectory files;
  PrivateKey key = make_key();
  std::vector<std::string> notes;
  for (uint64_t size : {1, 2, 3}) {
    notes.push_back(sign_note(key, detail::Checkpoint{"example.com/ab", size, {}}.text()));
    ASSERT_TRUE(detail::append_note(files / "c", notes.back()).ok());
  }
  auto read = read_checkpoints(files / "c");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, notes);
  EXPECT_EQ(detail::open_checkpoint(notes[1], {key.public_key()})->size, 2u);
  std::ofstream(files / "c", std::ios::app) << "example.com/ab\n4\n";
  EXPECT_NE(read_checkpoints(files / "c").error().message.find("line 19"), std::string::npos)
      << read_checkpoints(files / "c").error().message;
  EXPECT_EQ(detail::append_note(files / "none/c", notes[0]).error().code, "checkpoint_unwritable");
  EXPECT_EQ(detail::parse_checkpoint("a\n01\nAAAA\n\n").error().code, "bad_note");
}

}  // namespace
}  // namespace ordain
