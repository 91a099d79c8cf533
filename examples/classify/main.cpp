// Classifies the lines of standard input with a model that `heed train classify` has made:
//   heed_example_classify MODEL_DIRECTORY < texts.txt
// One line for each: the class, its probability, the text.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "heed/base/cpus.h"
#include "heed/base/error.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/ops/threads.h"
#include "heed/tasks/text/classify.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: " << arguments[0] << " MODEL_DIRECTORY < texts\n";
    return 2;
  }
  try {
    heed::set_threads(heed::granted_cpus().count);
    const auto trained = heed::models::load_text_classifier(arguments[1]);
    std::vector<std::string> texts;
    for (std::string line; std::getline(std::cin, line);) texts.push_back(line);
    const auto results = heed::tasks::classify(trained, texts);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto& probabilities = results[i].probabilities;
      std::cout << trained.labels[static_cast<size_t>(results[i].label)] << '\t'
                << *std::max_element(probabilities.begin(), probabilities.end()) << '\t' << texts[i]
                << '\n';
    }
    return 0;
  } catch (const heed::Error& error) {  // a missing directory, a broken file, ...
    std::cerr << error.what() << '\n';
    return 1;
  }
}
