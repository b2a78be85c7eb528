"""Packaging. Every setting lives in settings.ini: edit there, not here."""
from configparser import ConfigParser
from pathlib import Path

import setuptools

config = ConfigParser(delimiters=["="])
config.read("settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]
lowest, highest = (int(cfg[k].split(".")[1]) for k in ("min_python", "max_python"))
names = "demo", "llm", "ner", "pii", "records", "writing", "review", "openvino", "onnx", "serve", "browser", "ray", "dev"
extras = {name: cfg[f"{name}_requirements"].split() for name in names}

setuptools.setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=cfg["author"],
    author_email=cfg["author_email"],
    url=cfg["git_url"],
    keywords=cfg["keywords"].split(),
    license=cfg["license"].upper(),
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Natural Language :: English",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(lowest, highest + 1)),
    ],
    packages=setuptools.find_packages(include=[cfg["lib_path"], cfg["lib_path"] + ".*"]),
    package_data={"sieves_distill.deploy": ["web/*"], "sieves_distill.relabel": ["web/*"]},
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require={**extras, "dev": sum((extras[name] for name in names if name != "ray"), [])},  # which is large
    entry_points={
        "nbdev": [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"],
        "console_scripts": [cfg["console_scripts"]],
    },
    zip_safe=False,
)
