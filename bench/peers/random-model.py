# Writes random weights for the config.json in a folder: python random-model.py FOLDER
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

torch.manual_seed(1)
torch.set_default_dtype(torch.bfloat16)
AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(sys.argv[1])).save_pretrained(sys.argv[1])
