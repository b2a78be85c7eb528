"""What it is worth to tell the Model2Vec student what its labels mean: without names, with the names alone, and with a
description of each label.

    python -m benchmarks.panel.described          (five minutes)

The descriptions are written for a reader who knows nothing of the data set, without a look at its texts. Cells of 50
and 200 rows, three seeds, clean and with 20 % wrong labels. Writes described.json, and prints the table.
"""
from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from benchmarks import running, training
from benchmarks.panel import FOLDER, rows
from benchmarks.panel.methods import no_names
from benchmarks.panel.report import compared, markdown
from sieves_distill.train.recipe import Recipe

FILE = FOLDER / "described.json"
FEELING = {
    "negative": "an unhappy, angry or disappointed text; bad, terrible, boring",
    "neutral": "a plain statement of facts, without any feeling",
    "positive": "a happy, pleased or enthusiastic text; good, great, lovely",
}
DESCRIPTIONS = {
    "bbc": {
        "business": "companies, markets, the economy, jobs and trade",
        "entertainment": "film, music, television, books and celebrities",
        "politics": "government, parliament, elections, parties and ministers",
        "sports": "football, rugby, tennis, athletics, matches and players",
        "tech": "computers, software, the internet, mobile phones and games",
    },
    "newsgroups": {
        "alt.atheism": "unbelief, arguments about god and religion",
        "comp.graphics": "computer graphics, images, file formats and rendering",
        "comp.os.ms-windows.misc": "the Microsoft Windows operating system, drivers and files",
        "comp.sys.ibm.pc.hardware": "PC hardware, disks, controllers, cards and motherboards",
        "comp.sys.mac.hardware": "Apple Macintosh hardware, monitors and memory",
        "comp.windows.x": "the X Window System on Unix, servers and displays",
        "misc.forsale": "things offered for sale, prices and shipping",
        "rec.autos": "cars, engines, dealers and driving",
        "rec.motorcycles": "motorcycles, bikes, riding and helmets",
        "rec.sport.baseball": "baseball, pitchers, hitters and teams",
        "rec.sport.hockey": "ice hockey, goals, players and leagues",
        "sci.crypt": "cryptography, encryption, keys and ciphers",
        "sci.electronics": "electronics, circuits, voltage and components",
        "sci.med": "medicine, diseases, doctors and patients",
        "sci.space": "space flight, orbits, rockets, NASA and the moon",
        "soc.religion.christian": "Christianity, the church, the Bible and faith",
        "talk.politics.guns": "guns, firearms, weapons and gun control",
        "talk.politics.mideast": "Israel, Palestine, Iran, Turkey and the Middle East",
        "talk.politics.misc": "politics in general, the president, taxes and rights",
        "talk.religion.misc": "religion in general, scripture, cults and morality",
    },
    "reuters": {
        "acq": "mergers and acquisitions, one company buys shares of another",
        "crude": "crude oil, barrels, refineries and OPEC",
        "earn": "quarterly earnings, net profit, loss and dividends of a company",
        "grain": "wheat, corn, crops and harvests",
        "interest": "interest rates, the discount rate and central banks",
        "money-fx": "currencies, exchange rates, the dollar and the money market",
        "ship": "ships, ports, cargo and freight",
        "trade": "foreign trade, imports, exports, tariffs and deficits",
    },
    "spam": {
        "ham": "mail between people or on a mailing list, about work, code or news",
        "spam": "unsolicited advertising, offers, free money, click here to buy or unsubscribe",
    },
    "tweets": FEELING,
    "movies": FEELING,
    "attack": {
        "collection": "gathering data of interest, such as keystrokes, screens, files and mail",
        "command-and-control": "communicating with compromised systems to control them, over protocols and proxies",
        "credential-access": "stealing account names, passwords, hashes and tokens",
        "defense-evasion": "avoiding detection, hiding, obfuscating and disabling security tools",
        "discovery": "finding out about the environment, its accounts, processes and network",
        "execution": "running malicious code, scripts and commands",
        "exfiltration": "stealing data out of the network",
        "impact": "destroying, encrypting, manipulating or interrupting systems and data",
        "initial-access": "getting into the network, by phishing or public applications",
        "lateral-movement": "moving through the environment to remote systems",
        "persistence": "keeping a foothold across restarts, by accounts, services and autostart",
        "privilege-escalation": "gaining higher permissions, such as root or administrator",
        "reconnaissance": "gathering information about a victim to plan operations",
        "resource-development": "acquiring infrastructure, accounts and capabilities to support operations",
    },
    "platforms": {
        "Containers": "Docker, Kubernetes, images and pods",
        "ESXi": "VMware hypervisors and virtual machines",
        "IaaS": "cloud infrastructure, virtual instances and storage, AWS, Azure and Google Cloud",
        "Identity Provider": "single sign-on, federated identities, Entra ID and Okta",
        "Linux": "Linux systems, shell, kernel modules and cron",
        "Network Devices": "routers, switches, firewalls and their firmware",
        "Office Suite": "office documents and mail, Microsoft 365 and Google Workspace",
        "PRE": "before the attack, outside of the victim's network",
        "SaaS": "software as a service in the cloud",
        "Windows": "Windows systems, registry, PowerShell and Active Directory",
        "macOS": "Apple macOS systems, launch agents and plist files",
    },
}
WAYS = ("no names", "names", "described")
SIZES, SEEDS, NOISES = [50, 200], [0, 1, 2], (0., .2)


def run(name: str, size: int, seed: int, noise: float, way: str) -> dict:
    "The student of a cell that is told so much of its labels"
    cell = rows.cell(name, size, seed, noise)
    labels = DESCRIPTIONS[name] if way == "described" else cell.names
    recipe = replace(Recipe(), names_fit=no_names) if way == "no names" else Recipe()
    trained = training.train("model2vec", cell.texts, cell.y, labels, seed, recipe=recipe)
    f1 = training.macro_f1(cell.truth, training.answers(trained.student, cell.test_texts))
    return {"set": name, "size": size, "seed": seed, "noise": noise, "way": way, "f1": f1,
            "named": trained.made["named"]}


def table(cells: list[dict]) -> str:
    """Macro-F1 without names, and what names and descriptions add to it (± standard error over the runs); in how many
    runs it is better : worse"""
    f1 = {(c["set"], c["size"], c["seed"], c["noise"], c["way"]): c["f1"] for c in cells}
    lines = []
    for size in sorted({c["size"] for c in cells}):
        for noise, words in zip(NOISES, ("clean", "20 % wrong")):
            keys = sorted({key[:4] for key in f1 if key[1] == size and key[3] == noise})
            bare, *told = (np.array([f1[*key, way] for key in keys]) for way in WAYS)
            gains = [cell for values in told for cell in compared(values - bare)]
            lines.append([f"{size:,}", words, f"{bare.mean():.3f}", *gains])
    heads = [head for way in WAYS[1:] for head in (way, "better : worse")]
    return markdown(["rows", "labels", WAYS[0], *heads], lines) + "\n"


def check_descriptions(sets) -> None:
    "Each label has one, in the order of the labels"
    for name in sets:
        names = rows.pool(name)[2]
        if list(DESCRIPTIONS[name]) != list(names): raise ValueError(f"expected descriptions of {names} for {name}")


def main():
    parser = running.arguments("panel.described", __doc__)
    parser.add_argument("--sets", nargs="+", default=rows.SETS, choices=rows.SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    check_descriptions(args.sets)
    runs = list(product(args.seeds, args.sizes, args.sets, NOISES, WAYS))
    cells = [run(name, size, seed, noise, way) for seed, size, name, noise, way in tqdm(runs)]
    running.write_json(args.results, cells)
    print(table(cells))


if __name__ == "__main__": main()
