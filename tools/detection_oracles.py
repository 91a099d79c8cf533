#!/usr/bin/env python3
"""Writes what pycocotools says of objects that are drawn at random: heed/metrics/testdata/detection.json,
which heed/metrics/detection_test.cpp compares Heed with. To make it again:

    python3 -m venv build/oracles
    build/oracles/bin/pip install pycocotools==2.0.11
    build/oracles/bin/python tools/detection_oracles.py
"""

import contextlib
import importlib.metadata
import io
import json
import random
from pathlib import Path

import numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

FILE = Path(__file__).resolve().parent.parent / "heed" / "metrics" / "testdata" / "detection.json"
NAMES = ["ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100", "ar_small", "ar_medium",
         "ar_large"]


def drawn_box(source, most):
    width, height = source.uniform(3, most), source.uniform(3, most)
    box = [source.uniform(0, 300 - width), source.uniform(0, 300 - height), width, height]
    # Whole pixels now and then: overlaps that are round shares.
    return [float(round(each)) for each in box] if source.random() < 0.4 else [round(each, 2) for each in box]


def near(source, box):
    """A box that somebody might have found for this one."""
    spread = source.choice([0, 0.02, 0.1, 0.3])
    moved = [each + source.gauss(0, spread) * side for each, side in zip(box, box[2:] * 2)]
    return [round(moved[0], 2), round(moved[1], 2), max(1.0, round(moved[2], 2)), max(1.0, round(moved[3], 2))]


def case(source, images, categories, objects, crowds, scores):
    """Annotations and results, as COCO has them; numbers of pictures and categories are counted from 1."""
    annotations, results = [], []
    for image in range(1, images + 1):
        for _ in range(source.randint(0, objects)):
            box = drawn_box(source, source.choice([20, 60, 150]))
            category = source.randint(1, categories)
            area = box[2] * box[3] * source.choice([1, 1, 0.7])
            annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": box,
                                "area": area, "iscrowd": int(source.random() < crowds)})
            for _ in range(source.choice([0, 1, 1, 1, 2, 3])):
                found = category if source.random() < 0.85 else source.randint(1, categories)
                results.append({"image_id": image, "category_id": found, "bbox": near(source, box)})
        for _ in range(source.randint(0, 3)):
            results.append({"image_id": image, "category_id": source.randint(1, categories),
                            "bbox": drawn_box(source, 80)})
    source.shuffle(results)
    for result in results:
        result["score"] = round(source.random(), scores)
    return annotations, results


def measured(images, categories, annotations, results):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": [{"id": i + 1} for i in range(images)], "annotations": annotations,
                        "categories": [{"id": i + 1} for i in range(categories)]}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(json.loads(json.dumps(results))), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    of_category = []
    for k in range(categories):
        precision = evaluation.eval["precision"][:, :, k, 0, 2]
        of_category.append(float(numpy.mean(precision)) if precision.max() > -1 else -1.0)
    return dict(zip(NAMES, map(float, evaluation.stats))), of_category


def main():
    source = random.Random(8)
    cases = []
    for images, categories, objects, crowds, scores in [
            (1, 1, 4, 0, 6), (3, 2, 5, 0, 6), (6, 3, 6, 0.2, 6), (6, 2, 8, 0, 1), (10, 4, 4, 0.1, 2),
            (4, 1, 160, 0.05, 3), (12, 12, 3, 0.1, 6), (4, 3, 3, 1, 6)]:
        annotations, results = case(source, images, categories, objects, crowds, scores)
        if not results:
            continue
        stats, of_category = measured(images, categories, annotations, results)
        cases.append({
            "images": images, "categories": categories,
            "real": [[a["image_id"] - 1, a["category_id"] - 1, *a["bbox"], a["area"], a["iscrowd"]]
                     for a in annotations],
            "found": [[r["image_id"] - 1, r["category_id"] - 1, *r["bbox"], r["score"]] for r in results],
            "scores": stats, "ap_of_category": of_category})
    made_by = {name: importlib.metadata.version(name) for name in ("pycocotools", "numpy")}
    lines = ",\n".join(json.dumps(each) for each in cases)
    FILE.write_text(f'{{"made_by": {json.dumps(made_by)}, "cases": [\n{lines}\n]}}\n', "utf-8")


if __name__ == "__main__":
    main()
