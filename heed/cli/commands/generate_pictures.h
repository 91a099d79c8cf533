// What `heed generate` does with a model that writes pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/cli/options/options.h"
#include "heed/inference/sampling.h"

namespace heed::cli {

struct GeneratePictures {
  std::vector<std::string> classes = {};  // none: all
  int64_t num_samples = 16;               // of each class
  std::string out = {};                   // a PNG, or a folder

  // --class, --num-samples, --out.
  void add_to(Options& options);

  // Of a model that writes text: throws UsageError where one of these options was given.
  static void check_not_given(const Options& command);

  // Writes the pictures, and with `json` prints each of them. Throws UsageError for an option that
  // is for texts, for a class that the model does not know and where there is nowhere to write,
  // IoError, Interrupted.
  struct Run {
    const Options& command;
    std::string directory;  // of the model
    inference::SamplingOptions sampling = {};
    std::string dtype = "float32";
    bool json = false;
  };
  void run(const Run& how) const;
};

// Whether the model in a directory, if there is one, writes pictures.
bool writes_pictures(const std::string& directory);

}  // namespace heed::cli
