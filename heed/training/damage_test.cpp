// What somebody removed or damaged between two runs: made up for, or refused with what to do.
#include <gtest/gtest.h>

#include <random>

#include "heed/training/run/checkpoint.h"
#include "heed/training/testing/test_runs.h"

namespace heed::training {
namespace {

namespace fs = std::filesystem;
using test::expect_same;
using test::Folder;
using test::options_in;
using test::Outcome;
using test::resumed;
using test::run;
using test::slurp;

TEST(Damage, AModelThatIsGoneIsMadeFromItsCheckpoint) {
  const Folder whole;
  const Outcome expected = run(whole, options_in(whole));
  const Folder folder;
  run(folder, options_in(folder), 7);
  fs::remove_all(folder / "out");
  expect_same(expected, run(folder, resumed(options_in(folder))));
  // Of a run that has ended the last checkpoint stays: it may be that of another step.
  fs::remove_all(folder / "out");
  const fs::path all = folder / "out.run/checkpoints";
  fs::rename(all / "step-00000009", all / "step-00000010");
  EXPECT_THROW(run(folder, resumed(options_in(folder))), DataError);
}

// Bytes changed, cut off, removed, taken from another step: refused with what to do, or harmless.
TEST(Damage, ADamagedCheckpointIsRefusedAndTheOneBeforeGoesOn) {
  const Folder whole;
  TrainingOptions options = options_in(whole);
  const Outcome expected = run(whole, options);
  const Folder stopped;
  run(stopped, options_in(stopped), 7);
  const auto steps = CheckpointFolder(stopped / "out.run/checkpoints").steps();
  ASSERT_GE(steps.size(), 2U);
  const fs::path newest = CheckpointFolder("").path_of(steps.back());
  const fs::path before = CheckpointFolder("").path_of(steps[steps.size() - 2]);
  std::mt19937_64 random(7);
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE(text_of("damage ", i));
    const Folder folder;
    fs::copy(stopped / "out", folder / "out", fs::copy_options::recursive);
    fs::copy(stopped / "out.run", folder / "out.run", fs::copy_options::recursive);
    const fs::path all = folder / "out.run/checkpoints";
    const fs::path file = all / newest / (i % 2 == 0 ? "state.json" : "tensors.safetensors");
    std::string bytes = slurp(file);
    const size_t at = random() % bytes.size();
    switch (i / 2 % 5) {
      case 0:
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        test::spill(file, bytes);
        break;
      case 2:
        test::spill(file, bytes.substr(0, at));
        break;
      case 3:
        fs::remove(file);
        break;
      default:
        fs::copy_file(all / before / file.filename(), file, fs::copy_options::overwrite_existing);
    }
    try {
      expect_same(expected, run(folder, resumed(options_in(folder))));  // white space, say
    } catch (const DataError& error) {
      ++refused;
      EXPECT_NE(std::string(error.what()).find("to go on from the one before"), std::string::npos)
          << error.what();
      fs::remove_all(all / newest);
      expect_same(expected, run(folder, resumed(options_in(folder))));
    }
  }
  EXPECT_GT(refused, 140);
}

}  // namespace
}  // namespace heed::training
